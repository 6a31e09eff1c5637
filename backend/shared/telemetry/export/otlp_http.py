"""Sends spans to a collector over OTLP/HTTP, within one time limit for the whole export.

On Lambda the answer to a request waits for the export. OpenTelemetry's own exporter limits only
the wait for each piece of the answer, retries, and imports `requests`.
"""

import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.util.re import parse_env_headers

from shared.logging import get_logger
from shared.telemetry.export.otlp_json import encode

_log = get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
_MAX_ANSWER_BYTES: Final = 64 * 1024


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
        self._headers = {"content-type": "application/json", "user-agent": "fin-advisor"}
        self._headers |= _configured_headers()
        self._connection = self._new_connection()
        self._worker: _Worker | None = None
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
            connection, body = self._connection, encode(spans)
            self._worker = self._worker or _Worker()
            posting = self._worker.submit(lambda: self._post(connection, body))
            try:
                status = posting.result(self._timeout_seconds)
            except (OSError, ValueError, http.client.HTTPException) as error:
                self._abandon(posting)
                return self._fail(repr(error), len(spans))
            if not 200 <= status < 300:
                return self._fail(f"HTTP {status}", len(spans))
            self._pause_seconds = 0.0
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the connection and end the thread."""
        with self._lock:
            self._stop_worker()
            self._connection.close()

    def _stop_worker(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

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

    def _new_connection(self) -> http.client.HTTPConnection:
        is_tls = self._url.scheme == "https"
        kind = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
        host = self._url.hostname or "localhost"
        # `export` enforces the time limit. This timeout ends the thread of an abandoned export.
        return kind(host, self._url.port, timeout=self._timeout_seconds)

    def _abandon(self, posting: "Future[int]") -> None:
        self._stop_worker()
        abandoned, self._connection = self._connection, self._new_connection()
        if (open_socket := abandoned.sock) is not None:
            with suppress(OSError):  # not connected any more
                open_socket.shutdown(socket.SHUT_RDWR)
        posting.add_done_callback(lambda _: abandoned.close())

    def _post(self, connection: http.client.HTTPConnection, body: bytes) -> int:
        was_open = connection.sock is not None
        ends = time.monotonic() + self._timeout_seconds
        try:
            return self._exchange(connection, body)
        except ConnectionError:
            connection.close()
            if not was_open or time.monotonic() >= ends:
                raise
            # The collector closed the idle connection. It may already have taken the spans:
            # then it gets them twice, with the same ids.
            return self._exchange(connection, body)

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes) -> int:
        connection.request("POST", self._url.path, body, self._headers)
        response = connection.getresponse()
        if len(response.read(_MAX_ANSWER_BYTES + 1)) > _MAX_ANSWER_BYTES:
            connection.close()
        return response.status


class _Worker:
    """A thread that posts for the exporter, which can stop waiting for it.

    One for all exports: a thread for each costs 0.2 ms of CPU a request. Not an executor: Python
    waits for an executor's threads when it exits.
    """

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Future[int], Callable[[], int]] | None] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def submit(self, action: Callable[[], int]) -> "Future[int]":
        outcome: Future[int] = Future()
        self._tasks.put((outcome, action))
        return outcome

    def stop(self) -> None:
        """End the thread after its last action."""
        self._tasks.put(None)

    def _run(self) -> None:
        while task := self._tasks.get():
            outcome, action = task
            try:
                outcome.set_result(action())
            except BaseException as error:  # noqa: BLE001 - raised again by `Future.result`
                outcome.set_exception(error)


def _configured_headers() -> dict[str, str]:
    """Return the headers in OpenTelemetry's environment variables, such as a collector's token."""
    text = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or os.environ.get(
        "OTEL_EXPORTER_OTLP_HEADERS", ""
    )
    headers = parse_env_headers(text, liberal=True)
    return {name: value for name, value in headers.items() if value.isprintable()}
