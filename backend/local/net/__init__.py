"""Loopback networking: sockets, the HTTP server, which requests it refuses, proxy settings."""
