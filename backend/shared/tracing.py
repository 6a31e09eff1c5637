"""Distributed tracing: one provider, X-Ray ids, spans out over OTLP, nothing where it is off.

What makes spans and sends them is imported by `configure_tracing`, never by importing this module.
"""

import atexit
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from shared.logging import get_logger

if TYPE_CHECKING:
    from fastapi import FastAPI
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer
    from starlette.types import Scope

    from shared.aws_lambda.invocation import RequestInvocation
    from shared.request.identity import XRayHeader
    from shared.telemetry.span_recorder import Exporter, SpanRecorder

_log = get_logger(__name__)

SHUTDOWN_SECONDS: Final = 2.0
"""The longest that the end of a process waits for its last spans."""

SPAN_KEY: Final = "shared.span"
"""Key of the ASGI scope of a request whose span is made around the application."""

STATUS_KEY: Final = "shared.status"
"""Key of the ASGI scope under which the answer's status waits for that span."""

_provider: "SpanRecorder | TracerProvider | None" = None
_is_ours = False
# Makes a `RequestInvocation`, where the provider is ours: not imported anew in each request.
_make_request: "partial[RequestInvocation] | None" = None
_ready_ns: int | None = None
_flushing: threading.Thread | None = None


def configure_tracing(
    service_name: str,
    environment: str,
    otlp_endpoint: str,
    *,
    exporter: "Exporter | None" = None,
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
    # OpenTelemetry's provider is one a process too.
    global _provider, _is_ours, _make_request  # noqa: PLW0603
    from opentelemetry import propagate, trace

    from shared.telemetry.client_spans import instrument_clients
    from shared.telemetry.propagation import all_headers
    from shared.telemetry.provider import make_provider, on_lambda

    if _provider is not None:
        return
    present = trace.get_tracer_provider()
    if type(present).__name__ in {"ProxyTracerProvider", "NoOpTracerProvider"}:
        _is_ours = True
        _provider = make_provider(service_name, environment, otlp_endpoint, exporter)
        trace.set_tracer_provider(_provider)
        propagate.set_global_textmap(all_headers)
        if on_lambda():
            from shared.aws_lambda.invocation import RequestInvocation

            _make_request = partial(RequestInvocation, cast("SpanRecorder", _provider))
        else:
            atexit.register(shutdown)
    else:
        _provider = present  # type: ignore[assignment] # somebody's own SDK provider
    instrument_clients()


def is_configured() -> bool:
    """Return whether spans of this process are exported."""
    return _provider is not None


def get_tracer(name: str = "fin-advisor") -> "Tracer":
    """Return a tracer; its spans cost next to nothing where tracing is not configured."""
    from opentelemetry import trace

    return trace.get_tracer(name)


@contextmanager
def span(name: str, attributes: Mapping[str, Any] | None = None) -> Iterator["Span"]:
    """Make a span for a block; of an error its kind is kept, not its text, which may quote data."""
    from opentelemetry.trace import INVALID_SPAN, Status, StatusCode

    if _provider is None:
        yield INVALID_SPAN  # off, though a wrapper's provider may be there to take it
        return
    with get_tracer().start_as_current_span(
        name,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_status(Status(StatusCode.ERROR))
            code = getattr(error, "code", None)
            kind = code if isinstance(code, str) else type(error).__qualname__
            current.set_attribute("error.type", kind)
            raise


def instrument_app(app: "FastAPI") -> None:
    """Give every request of an application one span; call it before the first request.

    A request that has a span already (from an auto-instrumentation wrapper) gets no second one.
    """
    from shared.telemetry.server_spans import RequestSpanMiddleware

    # FastAPI has telemetry of its own, four spans a request; it is on wherever there is a provider.
    native = getattr(app, "_telemetry", None)
    if isinstance(native, dict):
        native["tracing"] = False
    present: list[Any] = [entry.cls for entry in app.user_middleware]
    if RequestSpanMiddleware not in present:
        app.add_middleware(RequestSpanMiddleware)


def release_app(app: "FastAPI") -> None:
    """Take out what an auto-instrumentation wrapper put into a new application.

    The wrapper's own span is around the invocation already. What its instrumentation of FastAPI
    adds inside is a second one, and an older one raises on today's routers: every request fails.
    """
    if "opentelemetry.instrumentation.fastapi" in sys.modules:
        vars(app).pop("build_middleware_stack", None)  # replaced by newer ones
        app.user_middleware[:] = [
            entry
            for entry in app.user_middleware
            if getattr(entry.cls, "__name__", "") != "OpenTelemetryMiddleware"
        ]


def invocation(
    header: "XRayHeader | None", *, cold_start: bool = False
) -> AbstractContextManager[None]:
    """Continue Lambda's trace for a block, and send its spans before the environment freezes.

    Args:
        header: The runtime's own.
        cold_start: Whether this is the environment's first; its start then becomes a span.
    """
    if _provider is None:
        return nullcontext()
    from shared.aws_lambda.invocation import Invocation

    return Invocation(header, is_ours=_is_ours, ready_ns=_ready_ns if cold_start else None)


def request(
    header: "XRayHeader | None",
    scope: "Scope",
    *,
    cold_start: bool = False,
) -> AbstractContextManager[None]:
    """Continue Lambda's trace for a block that answers a request, and make the request's span.

    Where the provider is somebody else's, the application's middleware makes it.

    Args:
        header: The runtime's own, which wins over the request's.
        scope: The request's; `STATUS_KEY` is set there when it has been answered.
        cold_start: Whether this is the environment's first; its start then becomes a span.
    """
    if _make_request is None:
        return invocation(header, cold_start=cold_start)
    return _make_request(header, scope, _ready_ns if cold_start else None)


def extract(headers: Mapping[str, str]) -> "Context":
    """Return the OpenTelemetry context that headers (names in lower case) carry."""
    from shared.telemetry import propagation

    return propagation.extract(headers)


def flush() -> None:
    """Send what has been collected, bounded by the exporter's time-out; never raises."""
    if _provider is None or not hasattr(_provider, "force_flush"):
        return
    if _is_ours:
        _quietly(_provider.force_flush)
    else:
        _flush_foreign(_provider.force_flush)


def shutdown() -> None:
    """Send what has been collected and stop; for a process that ends."""
    if _provider is None or not hasattr(_provider, "shutdown"):
        return
    last = threading.Thread(target=_quietly, args=(_provider.shutdown,), daemon=True)
    last.start()
    last.join(SHUTDOWN_SECONDS)


def _quietly(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception as error:  # noqa: BLE001 - a lost span must not cost an answer
        _log.warning("tracing_flush_failed", error=repr(error))


def _flush_foreign(force_flush: Callable[[], object]) -> None:
    # How long a wrapper's exporter takes is not ours to set, so it is left behind.
    global _flushing  # noqa: PLW0603
    from shared.telemetry.provider import LAMBDA_EXPORT_SECONDS

    if _flushing is None or not _flushing.is_alive():
        _flushing = threading.Thread(target=_quietly, args=(force_flush,), daemon=True)
        _flushing.start()
        _flushing.join(LAMBDA_EXPORT_SECONDS)


def mark_ready() -> None:
    """Note that this process is ready for its first invocation."""
    global _ready_ns  # noqa: PLW0603 - of the process
    _ready_ns = time.time_ns()
