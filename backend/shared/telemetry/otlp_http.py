"""Spans to a collector over OTLP/HTTP, with a bound that holds.

OpenTelemetry's own exporter loads `requests`, tries again, and bounds each silence; on Lambda the
answer to a request waits for the export, so this one bounds the whole of it: resolving excepted,
connecting, sending and reading take `timeout_seconds` together.
"""

import os
import re
import socket
import struct
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from shared.logging import get_logger
from shared.telemetry.otlp_encoding import encode

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from shared.telemetry.span_recorder import RecordedSpan

_log = get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
_MAX_ANSWER_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 512  # an answer has some 150, and what is reserved for it costs too
_SLACK_SECONDS: Final = 0.01
# In the head of an answer, in lower case.
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n")
_CLOSES: Final = re.compile(rb"\r\nconnection:[ \t]*close[ \t]*\r\n")


class OtlpHttpExporter:
    """One kept connection and one attempt for each batch.

    After a failure nothing is sent for a while (`is_paused`), longer after each further one, so
    that a collector which hangs costs a request its bound now and then and not every time.

    Args:
        endpoint: The collector, `http://host:4318`; `/v1/traces` is added where it is missing.
        timeout_seconds: The longest that an export may take.
    """

    def __init__(self, endpoint: str, timeout_seconds: float) -> None:
        parts = urlsplit(endpoint)
        self._is_tls = parts.scheme == "https"
        self._host = parts.hostname or "localhost"
        self._port = parts.port or (443 if self._is_tls else 80)
        self._timeout_seconds = timeout_seconds
        self._head = _head(parts.netloc, parts.path)
        self._addresses: list[tuple[int, tuple[str, int]]] = []
        self._connection: _Connection | None = None
        self._lock = threading.Lock()
        self._failures = 0
        self._paused_until = 0.0
        self._usual = b""

    @property
    def is_paused(self) -> bool:
        """Whether an export would be refused because the last one failed."""
        return time.monotonic() < self._paused_until

    def export(self, spans: "Sequence[RecordedSpan | ReadableSpan]") -> bool:
        """Send spans; False where the collector did not take them in time."""
        with self._lock:
            now = time.monotonic()
            if now < self._paused_until:
                return False
            body = encode(spans)
            try:
                status = self._post(body, now)
            except BlockingIOError:  # what a wait that the kernel ended raises
                self._close()
                return self._failed(repr(_too_slow()), len(spans))
            except (OSError, ValueError) as error:
                self._close()
                return self._failed(repr(error), len(spans))
            if not 200 <= status < 300:
                return self._failed(f"HTTP {status}", len(spans))
            self._failures = 0
        return True

    def shutdown(self) -> None:
        """Close the connection."""
        with self._lock:
            self._close()

    def _failed(self, why: str, spans: int) -> bool:
        pause = min(FIRST_PAUSE_SECONDS * 2**self._failures, LONGEST_PAUSE_SECONDS)
        self._failures = min(self._failures + 1, 16)
        self._paused_until = time.monotonic() + pause
        _log.warning(
            "tracing_export_failed", detail=why, spans_lost=spans, next_attempt_seconds=pause
        )
        return False

    def _post(self, body: bytes, began: float) -> int:
        # Every request to a function waits for this: where all is well it takes few steps.
        request = b"%sContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body)
        ends = began + self._timeout_seconds
        received, connection = b"", self._connection
        if connection is not None:
            if connection.bound_seconds != self._timeout_seconds:
                connection.bound(self._timeout_seconds)
            received = connection.ask(request, began, ends)
        if connection is None or not received:
            self._close()  # the collector hung up while the function was frozen
            connection = self._connection = _Connection(self._connect(ends), is_tls=self._is_tls)
            connection.bound(_left(ends))
            received = connection.ask(request, began, ends)
        if received and received == self._usual:
            return 200
        status, stays_open, came_whole = _read_answer(connection, ends, received)
        if not stays_open:
            self._close()
        # An answer differs from the one before in its date, a second's, or in nothing.
        self._usual = received if status == 200 and stays_open and came_whole else b""
        return status

    def _connect(self, ends: float) -> socket.socket:
        # Resolved once: a resolver has no time-out of ours.
        self._addresses = self._addresses or [
            (family, address[:2])  # type: ignore[misc] # (host, port) of either family
            for family, _, _, _, address in socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM
            )
        ]
        for number, (family, address) in enumerate(self._addresses, start=1):
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(_left(ends))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return self._secured(connection)
            except OSError:
                connection.close()
                if number == len(self._addresses):
                    self._addresses = []  # a balancer's may be others by the next attempt
                    raise
        raise OSError(f"{self._host} has no address")

    def _secured(self, connection: socket.socket) -> socket.socket:
        if not self._is_tls:
            return connection
        import ssl

        return ssl.create_default_context().wrap_socket(connection, server_hostname=self._host)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.socket.close()


def _head(authority: str, path: str) -> bytes:
    path = path.rstrip("/")
    if not path.endswith("/v1/traces"):
        path += "/v1/traces"
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {authority}",
        "Content-Type: application/x-protobuf",
        "User-Agent: fin-advisor",
        *(f"{name}: {value}" for name, value in _configured_headers()),
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def _configured_headers() -> list[tuple[str, str]]:
    # The standard's own variables, such as a hosted collector's token needs.
    text = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or os.environ.get(
        "OTEL_EXPORTER_OTLP_HEADERS", ""
    )
    pairs = [pair.partition("=") for pair in text.split(",") if "=" in pair]
    decoded = [(name.strip(), unquote(value.strip())) for name, _, value in pairs]
    return [(name, value) for name, value in decoded if (name + value).isprintable()]


class _Connection:
    """A connected socket whose waits are bounded: by the kernel, because Python's own time-outs,
    which ask whether a socket is ready before each call, are two system calls more an export.
    """

    def __init__(self, connected: socket.socket, *, is_tls: bool) -> None:
        self.socket = connected
        self.bound_seconds = 0.0
        self._is_tls = is_tls

    def bound(self, seconds: float) -> None:
        """Let no single wait be longer."""
        self.bound_seconds = seconds
        if self._is_tls:  # which waits again when the kernel has ended a wait
            self.socket.settimeout(seconds)
            return
        self.socket.settimeout(None)
        timeval = struct.pack("ll", int(seconds), max(1, int(seconds % 1 * 1e6)))  # 0 is no bound
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)

    def ask(self, request: bytes, began: float, ends: float) -> bytes:
        """Send a request and return the beginning of its answer; nothing where it was closed."""
        try:
            sent = self.socket.send(request)
            while sent < len(request):  # over TLS a record at a time, or a collector reads slowly
                self.bound(_left(ends))
                sent += self.socket.send(request[sent:])
            if time.monotonic() - began > _SLACK_SECONDS:
                self.bound(_left(ends))  # else the one that stands is as good
            return self.socket.recv(_CHUNK_BYTES)
        except ConnectionError:
            return b""

    def receive(self, ends: float) -> bytes:
        self.bound(_left(ends))
        chunk = self.socket.recv(_CHUNK_BYTES)
        if not chunk:
            raise ConnectionError("the collector closed the connection")
        return chunk


class _Answer(NamedTuple):
    status: int
    stays_open: bool
    """Whether the connection can be used again."""
    came_whole: bool
    """Whether it was all there at once."""


def _read_answer(connection: _Connection, ends: float, received: bytes) -> _Answer:
    first = received
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += connection.receive(ends)
        if len(received) > _MAX_ANSWER_BYTES:
            raise ValueError("the collector's answer has no end")
    head = received[: end + 2].lower()
    status = int(head[9:12])  # after "HTTP/1.1 "
    length = _LENGTH.search(head)
    if length is None or int(length[1]) > _MAX_ANSWER_BYTES:
        return _Answer(status, stays_open=False, came_whole=False)  # of no interest
    missing = end + 4 + int(length[1]) - len(received)
    came_whole = received is first and missing == 0
    while missing > 0:
        missing -= len(connection.receive(ends))
    return _Answer(status, missing == 0 and _CLOSES.search(head) is None, came_whole)


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise _too_slow()
    return left


def _too_slow() -> TimeoutError:
    return TimeoutError("the collector took too long")
