"""Loopback sockets and the HTTP server that the other rooms use."""
