"""Listening sockets on the loopback interface (standard library only: the preflight needs them
before any package).
"""

import socket
import ssl

HOST = "127.0.0.1"

# For HTTP clients that stay on this machine: to load the certificates of the web takes 0.2 s.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def bind(port: int = 0) -> socket.socket:
    """A listening socket on the loopback interface; OSError when the port is taken."""
    listener = reserve(port)
    try:
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def reserve(port: int = 0) -> socket.socket:
    """A socket that holds a port for a child process, which may listen there (with SO_REUSEADDR, as
    servers do) while everybody else's `bind(0)` and `connect` pass it by; OSError when it is taken.
    """
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it on, an answer in
    # two packets waits 40 ms for the client's delayed acknowledgement.
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, port))
    except OSError:
        holder.close()
        raise
    return holder
