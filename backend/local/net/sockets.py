"""Sockets on the loopback interface.

Standard library only: the preflight uses this module before it knows which packages are installed.
"""

import socket
import ssl

HOST = "127.0.0.1"

# For HTTP clients that call this machine only: loading the public certificates takes 0.2 s.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def bind(port: int = 0) -> socket.socket:
    """A listening socket. Port 0 takes any free port. Raises OSError if the port is taken."""
    listener = reserve(port)
    try:
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def reserve(port: int = 0) -> socket.socket:
    """A bound socket that reserves a port for a child. Raises OSError if the port is taken.

    The child can listen there, because servers set SO_REUSEADDR. The system gives the port to no
    other `bind(0)` or `connect`.
    """
    # asyncio disables Nagle's algorithm only where the socket names its protocol. With Nagle on, a
    # response in two packets waits 40 ms for the client's delayed acknowledgement.
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, port))
    except OSError:
        holder.close()
        raise
    return holder
