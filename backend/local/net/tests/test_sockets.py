"""Listening sockets."""

import socket
import struct

import pytest

from local.net.sockets import HOST, bind, reserve

_IP_LOCAL_PORT_RANGE = 51  # of Linux 6.3; Python 3.13 has no name for it


def test_a_listener_names_its_protocol_so_that_asyncio_turns_nagle_off() -> None:
    """With Nagle's algorithm, an answer in two packets takes 40 ms longer."""
    with bind() as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_refused() -> None:
    with bind() as listener, pytest.raises(OSError, match="in use"):
        bind(listener.getsockname()[1])


def test_only_a_server_can_listen_on_a_reserved_port() -> None:
    """A server can, repeatedly, because it sets SO_REUSEADDR; any other socket cannot."""
    with reserve() as reserved:
        address = reserved.getsockname()
        for _ in range(2):
            with bind(address[1]) as listener:
                socket.create_connection(address, timeout=5).close()
                listener.accept()[0].close()
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(address)


@pytest.mark.parametrize("way", ["bind", "connect"])
def test_the_system_gives_a_reserved_port_to_no_other_socket(way: str) -> None:
    """The reserved port is the only one that the system may choose here, and it chooses none."""
    with reserve() as reserved, bind() as elsewhere, socket.socket() as other:
        port = reserved.getsockname()[1]
        only = struct.pack("=HH", port, port)
        try:
            other.setsockopt(socket.IPPROTO_IP, _IP_LOCAL_PORT_RANGE, only)
        except OSError:
            pytest.skip("only Linux 6.3 and later can give a socket a range of its own")
        with pytest.raises(OSError, match=r"in use|Cannot assign"):
            other.bind((HOST, 0)) if way == "bind" else other.connect(elsewhere.getsockname())
