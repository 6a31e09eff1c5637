"""Sends spans to a collector over OTLP/HTTP, within one time limit for the whole export.

On Lambda the answer to a request waits for the export. OpenTelemetry's own exporter limits only
the wait for each piece of the answer, retries, and imports `requests`. `http.client` has no limit
for the whole answer, and costs each request 0.3 ms of CPU more than the few lines here.
"""

import os
import re
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.util.re import parse_env_headers

from shared.logging import get_logger
from shared.telemetry.export.otlp_json import encode

_log = get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
_MAX_ANSWER_BYTES: Final = 64 * 1024
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})")
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d{1,9})(?=\s|$)", re.IGNORECASE)
_CLOSE: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class OtlpHttpExporter(SpanExporter):
    """Sends each batch once, over a connection that stays open.

    After a failure it pauses, twice as long after each further one. So an outage of the collector
    delays only the few requests that try again.

    Args:
        url: The collector's address for traces, usually `http://host:4318/v1/traces`.
        timeout_seconds: Time limit of an export, from the look-up of the host to the whole answer.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url = urlsplit(url)
        self._timeout_seconds = timeout_seconds
        self._head = _request_head(self._url)
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()
        self._pause_seconds = 0.0
        self._paused_until = 0.0

    @property
    def is_paused(self) -> bool:
        """Whether the exporter pauses after a failure; an export then sends nothing."""
        return time.monotonic() < self._paused_until

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; a failure if the collector did not accept them in time."""
        with self._lock:
            if self.is_paused:
                return SpanExportResult.FAILURE
            try:
                status = self._post(encode(spans), time.monotonic() + self._timeout_seconds)
            except (OSError, ValueError) as error:
                self._close()
                return self._fail(repr(error), len(spans))
            if not 200 <= status < 300:
                return self._fail(f"HTTP {status}", len(spans))
            self._pause_seconds = 0.0
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the connection."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _fail(self, reason: str, spans: int) -> SpanExportResult:
        doubled = self._pause_seconds * 2 or FIRST_PAUSE_SECONDS
        self._pause_seconds = min(doubled, LONGEST_PAUSE_SECONDS)
        self._paused_until = time.monotonic() + self._pause_seconds
        _log.warning(
            "tracing_export_failed",
            detail=reason,
            spans_lost=spans,
            next_attempt_seconds=self._pause_seconds,
        )
        return SpanExportResult.FAILURE

    def _post(self, body: bytes, ends: float) -> int:
        request = b"%scontent-length: %d\r\n\r\n%s" % (self._head, len(body), body)
        if self._connection is not None:
            # The collector may have closed the idle connection, even after it took the spans:
            # then it gets them twice, with the same ids.
            with suppress(ConnectionError):
                return self._exchange(self._connection, request, ends)
            self._close()
        self._connection = self._connect(ends)
        return self._exchange(self._connection, request, ends)

    def _connect(self, ends: float) -> socket.socket:
        """Connect in a thread, because nothing else limits the look-up of a host."""
        connecting: Future[socket.socket] = Future()

        def connect() -> None:
            try:
                connecting.set_result(self._open())
            except BaseException as error:  # noqa: BLE001 - raised again by `Future.result`
                connecting.set_exception(error)

        threading.Thread(target=connect, daemon=True).start()
        try:
            return connecting.result(_remaining(ends))
        except TimeoutError:
            connecting.add_done_callback(_close_late)
            raise

    def _open(self) -> socket.socket:
        is_tls, host = self._url.scheme == "https", self._url.hostname or "localhost"
        address = host, self._url.port or (443 if is_tls else 80)
        connection = socket.create_connection(address, self._timeout_seconds)
        if not is_tls:
            return connection
        import ssl  # imported here: a collector beside the function speaks plain HTTP

        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)

    def _exchange(self, connection: socket.socket, request: bytes, ends: float) -> int:
        connection.settimeout(_remaining(ends))
        connection.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += _receive(connection, ends)
            if len(received) > _MAX_ANSWER_BYTES:
                raise ValueError("The head of the collector's answer is too large.")
        head, _, body = received.partition(b"\r\n\r\n")
        if not (status := _STATUS.match(head)):
            raise ValueError("The collector's answer is not HTTP/1.")
        length = _LENGTH.search(head)
        missing = int(length[1]) - len(body) if length else None
        if missing is None or missing > _MAX_ANSWER_BYTES or _CLOSE.search(head):
            self._close()  # only the status matters: a new connection instead of the body
            return int(status[1])
        while missing > 0:
            missing -= len(_receive(connection, ends))
        return int(status[1])


def _remaining(ends: float) -> float:
    if (seconds := ends - time.monotonic()) <= 0:
        raise TimeoutError("timed out")
    return seconds


def _close_late(connecting: "Future[socket.socket]") -> None:
    if not connecting.exception():
        connecting.result().close()


def _receive(connection: socket.socket, ends: float) -> bytes:
    connection.settimeout(_remaining(ends))
    if not (received := connection.recv(_MAX_ANSWER_BYTES)):
        raise ConnectionResetError("The collector closed the connection.")
    return received


def _request_head(url: SplitResult) -> bytes:
    """Return the request's first lines, with the headers of OpenTelemetry's variables."""
    text = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or os.environ.get(
        "OTEL_EXPORTER_OTLP_HEADERS", ""
    )
    configured = parse_env_headers(text, liberal=True)
    headers = {"host": url.netloc.rpartition("@")[2], "content-type": "application/json"}
    headers |= {"user-agent": "fin-advisor"}
    headers |= {name: value for name, value in configured.items() if value.isprintable()}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return "".join([f"POST {url.path} HTTP/1.1\r\n", *lines]).encode()
