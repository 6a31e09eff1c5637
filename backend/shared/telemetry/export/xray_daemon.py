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

from shared.logging import get_logger

_log = get_logger(__name__)

_HEADER: Final = b'{"format":"json","version":1}\nT1S'
MAX_DATAGRAM_BYTES: Final = 64_000


class XRayDaemonExporter:
    """Sends spans as datagrams, without waiting for an answer.

    Args:
        host: The daemon's host. `AWS_XRAY_DAEMON_ADDRESS`, which Lambda sets, takes precedence.
        port: The daemon's port.
    """

    def __init__(self, host: str, port: int) -> None:
        address = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "")
        known, _, known_port = address.rpartition(":")
        self._address = (known, int(known_port)) if known and known_port.isdigit() else (host, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def export(self, spans: Sequence[ReadableSpan]) -> bool:
        """Send spans; a batch too large for a datagram is halved until it fits.

        Returns:
            Whether all of them were sent.
        """
        encoded: bytes = encode_spans(spans).SerializeToString()
        datagram = _HEADER + base64.b64encode(encoded)
        if len(datagram) > MAX_DATAGRAM_BYTES:
            if len(spans) == 1:
                _log.warning("span_too_large", span=spans[0].name, size_bytes=len(datagram))
                return False
            middle = len(spans) // 2
            return all([self.export(spans[:middle]), self.export(spans[middle:])])
        try:
            self._socket.sendto(datagram, self._address)
        except OSError as error:
            _log.debug("xray_daemon_unreachable", error=str(error))
            return False
        return True

    def shutdown(self) -> None:
        """Close the socket."""
        self._socket.close()
