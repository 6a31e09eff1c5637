"""Spans to a collector over OTLP/HTTP, with a bound that holds.

OpenTelemetry's own exporter loads `requests`, tries again, and bounds each silence; on Lambda the
answer to a request waits for the export, so this one bounds the whole of it: resolving excepted,
connecting, sending and reading take `timeout_seconds` together.
"""

import os
import select
import socket
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from shared.logging import get_logger
from shared.otlp_encoding import encode

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from shared.span_recorder import RecordedSpan

_log = get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
_MAX_ANSWER_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 16 * 1024
_SLACK_SECONDS: Final = 0.01


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
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()
        self._failures = 0
        self._paused_until = 0.0

    @property
    def is_paused(self) -> bool:
        """Whether an export would be refused because the last one failed."""
        return time.monotonic() < self._paused_until

    def export(self, spans: "Sequence[RecordedSpan | ReadableSpan]") -> bool:
        """Send spans; False where the collector did not take them in time."""
        with self._lock:
            if self.is_paused:
                return False
            body = encode(spans)
            try:
                status = self._post(body, time.monotonic() + self._timeout_seconds)
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

    def _post(self, body: bytes, ends: float) -> int:
        request = b"%sContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body)
        kept = self._connection
        if kept is not None and not _is_usable(kept):
            self._close()  # the collector hung up while the function was frozen
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect(ends)
            connection.settimeout(_left(ends))
        elif connection.gettimeout() != self._timeout_seconds:
            connection.settimeout(self._timeout_seconds)
        connection.sendall(request)
        received = b""
        if _left(ends) > self._timeout_seconds - _SLACK_SECONDS:
            # Sent at once, as it nearly always is: the time-out still stands, for the first answer.
            received = connection.recv(_CHUNK_BYTES)
        status, stays_open = _read_answer(connection, ends, received)
        if not stays_open:
            self._close()
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
            connection.close()


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


def _is_usable(connection: socket.socket) -> bool:
    # Readable before anything was asked means: closed, or out of step.
    readable, _, _ = select.select([connection], [], [], 0)
    return not readable


def _read_answer(connection: socket.socket, ends: float, received: bytes) -> tuple[int, bool]:
    """Return the status, and whether the connection can be used again."""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _receive(connection, ends)
        if len(received) > _MAX_ANSWER_BYTES:
            raise ValueError("the collector's answer has no end")
    head = received[:end].lower() + b"\r\n"
    status = int(head[9:12])  # after "HTTP/1.1 "
    length = _header(head, b"content-length")
    if not length.isdigit() or int(length) > _MAX_ANSWER_BYTES:
        return status, False  # of an unknown length, and of no interest
    missing = int(length) - (len(received) - end - 4)
    while missing > 0:
        missing -= len(_receive(connection, ends))
    return status, _header(head, b"connection") != b"close"


def _header(head: bytes, name: bytes) -> bytes:
    """Return a header's value, or nothing; the head is in lower case, each line ended."""
    _, _, rest = head.partition(b"\r\n%s:" % name)
    return rest.partition(b"\r\n")[0].strip()


def _receive(connection: socket.socket, ends: float) -> bytes:
    connection.settimeout(_left(ends))
    chunk = connection.recv(_CHUNK_BYTES)
    if not chunk:
        raise ConnectionError("the collector closed the connection")
    return chunk


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError("the collector took too long")
    return left
