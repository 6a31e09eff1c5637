"""Chooses the span exporter for an endpoint."""

import os
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.sdk.trace.export import SpanExporter

from shared.logging import get_logger

_log = get_logger(__name__)

_GRPC_PORT: Final = 4317
_DAEMON_PORT: Final = 2000


def make_exporter(endpoint: str, timeout_seconds: float) -> SpanExporter | None:
    """Return the exporter for an endpoint, or None, with a log line, if it is not available.

    Args:
        endpoint: `http://host:4318` for OTLP/HTTP with JSON, port 4317 for gRPC,
            `udp://host:2000` for the X-Ray daemon. `OTEL_EXPORTER_OTLP_PROTOCOL` overrides the
            choice by port: `http/json`, `http/protobuf` or `grpc`.
        timeout_seconds: Time limit of an export.
    """
    address = urlsplit(endpoint)
    default = "grpc" if address.port == _GRPC_PORT else "http/json"
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or default
    # Imported here: a process loads only the exporter that it uses.
    try:
        if address.scheme == "udp":
            from shared.telemetry.export.xray_daemon import XRayDaemonExporter

            return XRayDaemonExporter(address.hostname or "127.0.0.1", address.port or _DAEMON_PORT)
        if protocol == "http/json":
            from shared.telemetry.export.otlp_http import OtlpHttpExporter

            return OtlpHttpExporter(traces_url(endpoint), timeout_seconds)
        if protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc

            return grpc.OTLPSpanExporter(
                endpoint=endpoint, insecure=address.scheme == "http", timeout=timeout_seconds
            )
        if protocol == "http/protobuf":
            from opentelemetry.exporter.otlp.proto.http import trace_exporter as http

            return http.OTLPSpanExporter(endpoint=traces_url(endpoint), timeout=timeout_seconds)
    except ImportError as error:
        event = "tracing_exporter_missing"
        detail = (
            f"{error.name} is not in this package; spans are not exported. Use port 4318 and "
            "http/json, which every package can send. gRPC is packed for the runner only."
        )
    else:
        event = "tracing_protocol_unknown"
        detail = (
            "OTEL_EXPORTER_OTLP_PROTOCOL must be http/json, http/protobuf or grpc; spans are not "
            "exported."
        )
    _log.error(event, otlp_endpoint=endpoint, protocol=protocol, detail=detail)
    return None


def traces_url(endpoint: str) -> str:
    """Return the URL for traces: the endpoint, with `/v1/traces` added unless it is there."""
    url = endpoint.rstrip("/")
    return url if url.endswith("/v1/traces") else f"{url}/v1/traces"
