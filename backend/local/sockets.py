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
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it on, an answer in
    # two packets waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(False)
    return listener
