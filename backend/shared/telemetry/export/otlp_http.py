"""Spans to a collector over OTLP/HTTP, within one time limit for the whole export.

On Lambda the answer to a request waits for the export. Upstream's exporter limits each silence
instead, retries, and imports `requests`.
"""

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.util.re import parse_env_headers

from shared.logging import get_logger
from shared.telemetry.export.otlp_json import encode

_log = get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
_MAX_ANSWER_BYTES: Final = 64 * 1024


class OtlpHttpExporter:
    """Sends each batch once, over a connection that stays open.

    After a failure it pauses, longer after each further one, so that an outage of the collector
    delays a request now and then and not every time.

    Args:
        url: Where the collector takes traces, usually `http://host:4318/v1/traces`.
        timeout_seconds: Time limit of an export: connect, send and read together. Only the
            look-up of the host's name is not included.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._connection = _Connection(
            parts.hostname or "localhost", parts.port, is_tls=parts.scheme == "https"
        )
        self._timeout_seconds = timeout_seconds
        self._headers = {"content-type": "application/json", "user-agent": "fin-advisor"}
        self._headers |= _configured_headers()
        self._lock = threading.Lock()
        self._pause_seconds = 0.0
        self._paused_until = 0.0

    @property
    def is_paused(self) -> bool:
        """Whether the exporter pauses after a failure; an export then sends nothing."""
        return time.monotonic() < self._paused_until

    def export(self, spans: Sequence[ReadableSpan]) -> bool:
        """Send spans; false if the collector did not accept them in time."""
        with self._lock:
            if self.is_paused:
                return False
            try:
                status = self._post(encode(spans))
            except (OSError, ValueError, http.client.HTTPException) as error:
                self._connection.close()
                return self._fail(repr(error), len(spans))
            if not 200 <= status < 300:
                return self._fail(f"HTTP {status}", len(spans))
            self._pause_seconds = 0.0
        return True

    def shutdown(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def _fail(self, reason: str, spans: int) -> bool:
        self._pause_seconds = min(
            self._pause_seconds * 2 or FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
        )
        self._paused_until = time.monotonic() + self._pause_seconds
        _log.warning(
            "tracing_export_failed",
            detail=reason,
            spans_lost=spans,
            next_attempt_seconds=self._pause_seconds,
        )
        return False

    def _post(self, body: bytes) -> int:
        self._connection.deadline = time.monotonic() + self._timeout_seconds
        was_open = self._connection.sock is not None
        try:
            return self._exchange(body)
        except ConnectionError:
            self._connection.close()
            if not was_open:
                raise
            # The collector closed the idle connection. It may already have taken the spans:
            # then it gets them twice, with the same ids.
            return self._exchange(body)

    def _exchange(self, body: bytes) -> int:
        self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        if len(response.read(_MAX_ANSWER_BYTES + 1)) > _MAX_ANSWER_BYTES:
            self._connection.close()
        return response.status


class _Connection(http.client.HTTPConnection):
    """An HTTP connection on which every operation ends before `deadline` (`time.monotonic`)."""

    deadline = 0.0

    def __init__(self, host: str, port: int | None, *, is_tls: bool) -> None:
        super().__init__(host, port or (443 if is_tls else 80))
        self._tls: ssl.SSLContext | None = None
        if is_tls:
            self._tls = ssl.create_default_context()
            self._tls.sslsocket_class = _TimedTlsSocket

    def connect(self) -> None:
        """Connect to the first of the host's addresses that answers."""
        addresses = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        for number, (family, _, _, _, address) in enumerate(addresses, start=1):
            self.sock = _TimedSocket(family, socket.SOCK_STREAM)
            self.sock.connection = self
            try:
                self.sock.settimeout(self.seconds_left())
                self.sock.connect(address)
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls is not None:
                    self.sock.settimeout(self.seconds_left())
                    secured: Any = self._tls.wrap_socket(self.sock, server_hostname=self.host)
                    secured.connection = self
                    self.sock = secured
            except OSError:
                self.close()
                if number == len(addresses):
                    raise
            else:
                return

    def seconds_left(self) -> float:
        """Return the time until the deadline; TimeoutError when it has passed."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the collector took too long")
        return left


class _TimedSocket(socket.socket):
    """Limits each operation to the time left; a plain socket's timeout starts anew each time."""

    connection: _Connection

    def recv_into(self, *arguments: Any) -> int:
        self.settimeout(self.connection.seconds_left())
        return super().recv_into(*arguments)

    def send(self, *arguments: Any) -> int:
        self.settimeout(self.connection.seconds_left())
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self.settimeout(self.connection.seconds_left())
        super().sendall(*arguments)


class _TimedTlsSocket(_TimedSocket, ssl.SSLSocket):
    pass


def _configured_headers() -> dict[str, str]:
    """Return the headers of OpenTelemetry's variables, such as a hosted collector's token."""
    text = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or os.environ.get(
        "OTEL_EXPORTER_OTLP_HEADERS", ""
    )
    headers = parse_env_headers(text, liberal=True)
    return {name: value for name, value in headers.items() if value.isprintable()}
