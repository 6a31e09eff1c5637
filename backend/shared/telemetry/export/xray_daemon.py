"""Spans to the X-Ray daemon that Lambda runs beside every traced function.

A datagram is a line of JSON, `T1S`, and an OTLP request in base64.
https://github.com/aws-observability/aws-otel-python-instrumentation (OTLPUdpSpanExporter)
"""

import base64
import os
import socket
from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from shared.logging import get_logger

_log = get_logger(__name__)

_HEADER: Final = b'{"format":"json","version":1}\nT1S'
MAX_DATAGRAM_BYTES: Final = 64_000


class XRayDaemonExporter(SpanExporter):
    """Sends spans as datagrams, without waiting for an answer.

    `AWS_XRAY_DAEMON_ADDRESS`, which Lambda sets, takes precedence over the host and port.
    """

    def __init__(self, host: str, port: int) -> None:
        address = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "")
        known, _, known_port = address.rpartition(":")
        self._address = (known, int(known_port)) if known and known_port.isdigit() else (host, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; a batch too large for a datagram is halved until it fits."""
        encoded: bytes = encode_spans(spans).SerializeToString()
        datagram = _HEADER + base64.b64encode(encoded)
        if len(datagram) > MAX_DATAGRAM_BYTES and len(spans) > 1:
            middle = len(spans) // 2
            first, second = self.export(spans[:middle]), self.export(spans[middle:])
            return second if first is SpanExportResult.SUCCESS else first
        if len(datagram) > MAX_DATAGRAM_BYTES:
            _log.warning("span_too_large", span=spans[0].name, size_bytes=len(datagram))
            return SpanExportResult.FAILURE
        try:
            self._socket.sendto(datagram, self._address)
        except OSError as error:
            _log.debug("xray_daemon_unreachable", error=str(error))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the socket."""
        self._socket.close()
