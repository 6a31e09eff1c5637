"""Which exporter an endpoint gets."""

import os
from collections.abc import Sequence
from typing import Any, Final, Protocol
from urllib.parse import SplitResult, urlsplit

from shared.logging import get_logger

_log = get_logger(__name__)

LAMBDA_EXPORT_SECONDS: Final = 0.25
"""Time limit of an export that a request waits for. `TracerProvider.force_flush` ignores its
timeout argument; only the exporter's is enforced."""

BACKGROUND_EXPORT_SECONDS: Final = 5.0

_GRPC_PORT: Final = 4317
_DAEMON_PORT: Final = 2000


class Exporter(Protocol):
    """Sends spans. While its `is_paused`, if it has one, is true, it must not be called."""

    def export(self, spans: Sequence[Any]) -> object:
        """Send spans; spans that cannot be sent are lost."""

    def shutdown(self) -> None:
        """Close connections."""


def make_exporter(endpoint: str, *, blocks_request: bool) -> Exporter | None:
    """Return the exporter for an endpoint, or None, with a log line, if it is not available.

    Args:
        endpoint: `http://host:4318` for OTLP/HTTP with JSON, port 4317 for gRPC,
            `udp://host:2000` for the X-Ray daemon. `OTEL_EXPORTER_OTLP_PROTOCOL` overrides the
            choice by port: `http/json`, `http/protobuf` or `grpc`.
        blocks_request: Whether a request waits for the export, which gives it a shorter time limit.
    """
    address = urlsplit(endpoint)
    default = "grpc" if address.port == _GRPC_PORT else "http/json"
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or default
    timeout = LAMBDA_EXPORT_SECONDS if blocks_request else BACKGROUND_EXPORT_SECONDS
    try:
        return _make(endpoint, address, protocol, timeout)
    except ImportError as error:
        _log.error(
            "tracing_exporter_missing",
            otlp_endpoint=endpoint,
            protocol=protocol,
            detail=f"{error.name} is not in this package; spans are not exported. Use port 4318 "
            "and http/json, which every package can send. gRPC is packed for the runner "
            "only.",
        )
    return None


def _make(
    endpoint: str, address: SplitResult, protocol: str, timeout_seconds: float
) -> Exporter | None:
    # Imported here: a process loads only the exporter that it uses.
    if address.scheme == "udp":
        from shared.telemetry.export.xray_daemon import XRayDaemonExporter

        return XRayDaemonExporter(address.hostname or "127.0.0.1", address.port or _DAEMON_PORT)
    if protocol == "http/json":
        from shared.telemetry.export.otlp_http import OtlpHttpExporter

        return OtlpHttpExporter(traces_url(endpoint), timeout_seconds)
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc

        insecure = address.scheme == "http"
        return grpc.OTLPSpanExporter(endpoint=endpoint, insecure=insecure, timeout=timeout_seconds)
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http import trace_exporter as http

        return http.OTLPSpanExporter(endpoint=traces_url(endpoint), timeout=timeout_seconds)
    _log.error(
        "tracing_protocol_unknown",
        otlp_endpoint=endpoint,
        protocol=protocol,
        detail="OTEL_EXPORTER_OTLP_PROTOCOL must be http/json, http/protobuf or grpc; spans are "
        "not exported.",
    )
    return None


def traces_url(endpoint: str) -> str:
    """Return the URL that takes traces: the endpoint with `/v1/traces` added unless it is there."""
    url = endpoint.rstrip("/")
    return url if url.endswith("/v1/traces") else f"{url}/v1/traces"
