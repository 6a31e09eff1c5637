"""Listening sockets."""

import socket
import struct

import pytest

from local.net.sockets import HOST, bind, reserve

_IP_LOCAL_PORT_RANGE = 51  # Linux 6.3's, which Python 3.13 does not name


def test_a_listener_names_its_protocol_so_that_asyncio_turns_nagle_off() -> None:
    """Without it every answer in two packets takes 40 ms more."""
    with bind() as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_refused() -> None:
    with bind() as listener, pytest.raises(OSError, match="in use"):
        bind(listener.getsockname()[1])


def test_a_reserved_port_is_the_one_it_is_reserved_for() -> None:
    """A server listens there, as often as it likes; a socket that asks for no reuse does not."""
    with reserve() as held:
        address = held.getsockname()
        for _ in range(2):
            with bind(address[1]) as listener:
                socket.create_connection(address, timeout=5).close()
                listener.accept()[0].close()
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(address)


@pytest.mark.parametrize("way", ["bind", "connect"])
def test_a_reserved_port_is_given_to_nobody_who_asks_for_any(way: str) -> None:
    """Not even as the last of the range that the system chooses from, here a range of one."""
    with reserve() as held, bind() as elsewhere, socket.socket() as other:
        port = held.getsockname()[1]
        only = struct.pack("=HH", port, port)
        try:
            other.setsockopt(socket.IPPROTO_IP, _IP_LOCAL_PORT_RANGE, only)
        except OSError:
            pytest.skip("only Linux 6.3 and later can give a socket a range of its own")
        with pytest.raises(OSError, match=r"in use|Cannot assign"):
            other.bind((HOST, 0)) if way == "bind" else other.connect(elsewhere.getsockname())
