"""Distributed tracing: one provider, X-Ray ids, spans out over OTLP, nothing where it is off.

The OpenTelemetry SDK, an exporter and the instrumentations are imported by `configure_tracing`
and by what they instrument, never by importing this module.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from shared.logging import get_logger

if TYPE_CHECKING:
    from fastapi import FastAPI
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

_log = get_logger(__name__)

LAMBDA_EXPORT_SECONDS: Final = 0.25
"""Bound of an export on Lambda, where the answer waits for it. `force_flush` has a bound of its own
that it does not keep; the exporter's time-out is the one that holds."""

EXPORT_SECONDS: Final = 5.0
"""Bound of an export in a process that exports in the background."""

_GRPC_PORT: Final = 4317
_UNSAMPLED: Final = re.compile(r";\s*Sampled=0\s*(?:;|$)")
_xray_root: ContextVar[int | None] = ContextVar("xray_root", default=None)
_provider: "TracerProvider | None" = None


def configure_tracing(
    service_name: str,
    environment: str,
    otlp_endpoint: str,
    *,
    exporter: "SpanExporter | None" = None,
) -> None:
    """Export this process's spans; a second call changes nothing.

    A provider that is there already (an auto-instrumentation wrapper's) is kept, and only what
    it lacks is added.

    Args:
        service_name: `service.name` of every span.
        environment: `deployment.environment.name` of every span.
        otlp_endpoint: `http://host:4318` for HTTP/protobuf, port 4317 for gRPC (unless
            `OTEL_EXPORTER_OTLP_PROTOCOL` says otherwise), `udp://host:2000` for the X-Ray daemon.
        exporter: Replaces the one that the endpoint selects.
    """
    global _provider  # noqa: PLW0603 - OpenTelemetry's provider is one a process, and so is this
    from opentelemetry import propagate, trace

    if _provider is not None:
        return
    present = trace.get_tracer_provider()
    if type(present).__name__ in {"ProxyTracerProvider", "NoOpTracerProvider"}:
        _provider = _make_provider(service_name, environment, otlp_endpoint, exporter)
        trace.set_tracer_provider(_provider)
        propagate.set_global_textmap(_propagator())
    else:
        _provider = present  # type: ignore[assignment] # somebody's own SDK provider
    _instrument_when_imported()


def is_configured() -> bool:
    """Return whether spans of this process are exported."""
    return _provider is not None


def get_tracer(name: str = "fin-advisor") -> "Tracer":
    """Return a tracer; its spans cost next to nothing where tracing is not configured."""
    from opentelemetry import trace

    return trace.get_tracer(name)


def instrument_app(app: "FastAPI") -> None:
    """Give every request of an application one span; call it before the first request.

    A request that has a span already (from an auto-instrumentation wrapper) gets no second one.
    """
    from shared.request_span import RequestSpanMiddleware

    present: list[Any] = [entry.cls for entry in app.user_middleware]
    if RequestSpanMiddleware not in present:
        app.add_middleware(RequestSpanMiddleware)


@contextmanager
def invocation(xray_header: str | None) -> Iterator[None]:
    """Continue Lambda's trace for a block, and send its spans before the environment freezes."""
    if _provider is None:
        yield
        return
    from opentelemetry import context

    token = context.attach(extract({"x-amzn-trace-id": xray_header} if xray_header else {}))
    try:
        yield
    finally:
        context.detach(token)
        flush()


def extract(headers: Mapping[str, str]) -> "Context":
    """Return the OpenTelemetry context that headers (names in lower case) carry.

    X-Ray's header wins over `traceparent`: the gateway rewrites the first and passes the second.
    A header with only `Root` names no parent; spans then begin that trace, unless it says
    `Sampled=0`.
    """
    from opentelemetry import propagate, trace
    from opentelemetry.context import Context

    from shared.context import trace_id_of

    context = propagate.extract(headers, context=Context(), getter=_lower_case_getter())
    header = headers.get("x-amzn-trace-id", "")
    root = int(trace_id_of(header) or "0", 16)
    parent = trace.get_current_span(context).get_span_context()
    if not root or parent.trace_id == root:
        _xray_root.set(None)
        return context
    if _UNSAMPLED.search(header):
        _xray_root.set(None)
        # A parent of any id: what hangs below it is not sampled either, and keeps the trace id.
        nobody = trace.SpanContext(root, 1, is_remote=True, trace_flags=trace.TraceFlags(0))
        return trace.set_span_in_context(trace.NonRecordingSpan(nobody), Context())
    _xray_root.set(root)
    return Context()


def flush() -> None:
    """Send what has been collected, bounded by the exporter's time-out; never raises."""
    if _provider is None or not hasattr(_provider, "force_flush"):
        return
    try:
        _provider.force_flush()
    except Exception as error:  # noqa: BLE001 - a lost span must not cost an answer
        _log.warning("tracing_flush_failed", error=repr(error))


def shutdown() -> None:
    """Send what has been collected and stop; for a process that ends."""
    if _provider is not None and hasattr(_provider, "shutdown"):
        _provider.shutdown()


def _make_provider(
    service_name: str, environment: str, endpoint: str, exporter: "SpanExporter | None"
) -> "TracerProvider":
    from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    class RootIdGenerator(AwsXRayIdGenerator):
        """X-Ray ids, and the trace id of a header that names a trace but no parent."""

        def generate_trace_id(self) -> int:
            return _xray_root.get() or int(super().generate_trace_id())

    provider = TracerProvider(
        # Not Resource.create(): it scans the entry points of every installed distribution.
        resource=Resource(_resource(service_name, environment)),
        id_generator=RootIdGenerator(),
        shutdown_on_exit="AWS_LAMBDA_FUNCTION_NAME" not in os.environ,
    )
    if exporter := exporter or _make_exporter(endpoint):
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


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


def _make_exporter(endpoint: str) -> "SpanExporter | None":
    parts = urlsplit(endpoint)
    on_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
    timeout = LAMBDA_EXPORT_SECONDS if on_lambda else EXPORT_SECONDS
    default = "grpc" if parts.port == _GRPC_PORT else "http/protobuf"
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or default
    exporter: Any
    try:
        if parts.scheme == "udp":
            from shared.xray_daemon import XRayDaemonExporter

            return XRayDaemonExporter(parts.hostname or "127.0.0.1", parts.port or 2000)
        if protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc import (
                trace_exporter as exporter,
            )

            insecure = parts.scheme == "http"
            return exporter.OTLPSpanExporter(  # type: ignore[no-any-return]
                endpoint=endpoint, insecure=insecure, timeout=timeout
            )
        from opentelemetry.exporter.otlp.proto.http import trace_exporter as exporter

        path = parts.path.rstrip("/")
        url = endpoint if path.endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"
        return exporter.OTLPSpanExporter(endpoint=url, timeout=timeout)  # type: ignore[no-any-return]
    except ImportError as error:
        _log.error(
            "tracing_exporter_missing",
            otlp_endpoint=endpoint,
            protocol=protocol,
            detail=f"{error.name} is not in this package; spans are not exported. Use port 4318 "
            "(HTTP) on Lambda; the gRPC exporter is in the runner only.",
        )
        return None


def _propagator() -> Any:
    from opentelemetry.propagators.aws import AwsXRayPropagator
    from opentelemetry.propagators.composite import CompositePropagator
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    # The last one that finds something wins.
    return CompositePropagator([TraceContextTextMapPropagator(), AwsXRayPropagator()])


@cache
def _lower_case_getter() -> Any:
    from opentelemetry.propagators.textmap import Getter

    class LowerCase(Getter[Mapping[str, str]]):
        """Reads headers whose names are in lower case, whatever case a propagator asks in."""

        def get(self, carrier: Mapping[str, str], key: str) -> list[str] | None:
            value = carrier.get(key.lower())
            return None if value is None else [value]

        def keys(self, carrier: Mapping[str, str]) -> list[str]:
            return list(carrier)

    return LowerCase()


def _instrument_when_imported() -> None:
    # A function that never calls another service never pays for the instrumentation of the client.
    import wrapt

    @wrapt.when_imported("httpx")
    def _httpx(_module: object) -> None:
        try:
            from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
        except ImportError as error:
            _log.warning("tracing_instrumentation_missing", module=error.name)
            return
        _instrument(HTTPXClientInstrumentor())

    @wrapt.when_imported("botocore.client")
    def _botocore(_module: object) -> None:
        try:
            from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
        except ImportError as error:
            _log.warning("tracing_instrumentation_missing", module=error.name)
            return
        _instrument(BotocoreInstrumentor())  # type: ignore[no-untyped-call]


def _instrument(instrumentor: Any) -> None:
    if not instrumentor.is_instrumented_by_opentelemetry:
        # The check compares installed distributions, which takes a scan of all of them.
        instrumentor.instrument(skip_dep_check=True)
