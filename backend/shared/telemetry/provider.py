"""The process's TracerProvider: who it is, how it makes ids, and where its spans go."""

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from shared.logging import get_logger

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from shared.telemetry.span_recorder import Exporter, SpanRecorder

_log = get_logger(__name__)

LAMBDA_EXPORT_SECONDS: Final = 0.25
"""Bound of an export on Lambda, where the answer waits for it. `force_flush` has a bound of its own
that it does not keep; the exporter's is the one that holds."""

EXPORT_SECONDS: Final = 5.0
"""Bound of an export in a process that exports in the background."""

_GRPC_PORT: Final = 4317


def on_lambda() -> bool:
    """Return whether this process is frozen between requests."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def make_provider(
    service_name: str, environment: str, endpoint: str, exporter: "Exporter | None"
) -> "SpanRecorder | TracerProvider":
    """Return a provider that exports to where `configure_tracing` says."""
    resource = _resource(service_name, environment)
    exporter = exporter or _make_exporter(endpoint)
    if on_lambda():
        from shared.telemetry.span_recorder import SpanRecorder

        return SpanRecorder(resource, exporter)
    from shared.telemetry.sdk_provider import sdk_provider

    return sdk_provider(resource, exporter)


def _resource(service_name: str, environment: str) -> dict[str, str]:
    attributes = {
        "service.name": service_name,
        "service.version": os.environ.get("SERVICE_VERSION", "dev"),
        "deployment.environment.name": environment,
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
    }
    if project := os.environ.get("PROJECT_NAME"):
        attributes["service.namespace"] = project
    if function := os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        attributes |= {
            "cloud.provider": "aws",
            "cloud.platform": "aws_lambda",
            "cloud.region": os.environ.get("AWS_REGION", ""),
            "faas.name": function,
            "faas.version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            "faas.instance": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        }
    elif region := os.environ.get("AWS_REGION"):
        attributes |= {"cloud.provider": "aws", "cloud.region": region}
    # The standard's own way to add or override attributes: "key=value,key=value".
    for pair in filter(None, os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",")):
        key, separator, value = pair.partition("=")
        if separator and key.strip():
            attributes[key.strip()] = unquote(value.strip())
    return attributes


def _make_exporter(endpoint: str) -> "Exporter | None":
    parts = urlsplit(endpoint)
    timeout = LAMBDA_EXPORT_SECONDS if on_lambda() else EXPORT_SECONDS
    default = "grpc" if parts.port == _GRPC_PORT else "http/protobuf"
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or default
    exporter: Any
    try:
        if parts.scheme == "udp":
            from shared.telemetry.xray_daemon import XRayDaemonExporter

            return XRayDaemonExporter(parts.hostname or "127.0.0.1", parts.port or 2000)
        if protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc import (
                trace_exporter as exporter,
            )

            insecure = parts.scheme == "http"
            return exporter.OTLPSpanExporter(  # type: ignore[no-any-return]
                endpoint=endpoint, insecure=insecure, timeout=timeout
            )
        from shared.telemetry.otlp_http import OtlpHttpExporter

        return OtlpHttpExporter(endpoint, timeout)
    except ImportError as error:
        _log.error(
            "tracing_exporter_missing",
            otlp_endpoint=endpoint,
            protocol=protocol,
            detail=f"{error.name} is not in this package; spans are not exported. Use port 4318 "
            "(HTTP) on Lambda; the gRPC exporter is in the runner only.",
        )
        return None
