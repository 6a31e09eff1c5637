"""Distributed tracing: OpenTelemetry's SDK with X-Ray ids, exported over OTLP.

Importing this module loads neither the SDK nor an exporter; `configure_tracing` does.
"""

import atexit
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from shared.logging import get_logger

if TYPE_CHECKING:
    from fastapi import FastAPI
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer, TracerProvider

_log = get_logger(__name__)

SHUTDOWN_SECONDS: Final = 2.0
"""The longest that the end of a process waits for its last spans."""


@dataclass
class _State:
    """The tracing of this process; a test may put a new one in place."""

    provider: "TracerProvider | None" = None
    owns_provider: bool = False
    """False if an ADOT wrapper installed the provider and may already have started a span."""
    flushing: threading.Thread | None = None


_state = _State()


def configure_tracing(
    service_name: str,
    environment: str,
    otlp_endpoint: str,
    *,
    exporter: "SpanExporter | None" = None,
) -> None:
    """Export this process's spans; a second call changes nothing.

    If there is a provider already, from an auto-instrumentation wrapper, it is used.

    Args:
        service_name: `service.name` of every span.
        environment: `deployment.environment.name` of every span.
        otlp_endpoint: `http://host:4318` for OTLP/HTTP with JSON, port 4317 for gRPC (unless
            `OTEL_EXPORTER_OTLP_PROTOCOL` says otherwise), `udp://host:2000` for the X-Ray daemon.
        exporter: Used instead of the one that the endpoint selects.
    """
    from opentelemetry import propagate, trace

    from shared.telemetry.client_spans import instrument_clients
    from shared.telemetry.propagation import all_headers

    if _state.provider is not None:
        return
    existing = trace.get_tracer_provider()
    if isinstance(existing, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        from shared.telemetry.provider import make_provider, on_lambda

        _state.provider = make_provider(service_name, environment, otlp_endpoint, exporter)
        _state.owns_provider = True
        trace.set_tracer_provider(_state.provider)
        propagate.set_global_textmap(all_headers)
        if not on_lambda():
            atexit.register(shutdown)
    else:
        _state.provider = existing
    instrument_clients()


def is_configured() -> bool:
    """Return whether spans of this process are exported."""
    return _state.provider is not None


def owns_provider() -> bool:
    """Return whether `configure_tracing` made the provider, rather than a wrapper."""
    return _state.owns_provider


def get_tracer(name: str = "fin-advisor") -> "Tracer":
    """Return a tracer; its spans do nothing if tracing is not configured."""
    from opentelemetry import trace

    return trace.get_tracer(name)


@contextmanager
def span(name: str, attributes: Mapping[str, Any] | None = None) -> Iterator["Span"]:
    """Make a span for a block. An error is recorded by its type: its text may quote data."""
    from opentelemetry.trace import INVALID_SPAN, StatusCode

    if _state.provider is None:
        yield INVALID_SPAN  # off, even if a wrapper's provider would record the span
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
            current.set_status(StatusCode.ERROR)
            code = getattr(error, "code", None)
            kind = code if isinstance(code, str) else type(error).__qualname__
            current.set_attribute("error.type", kind)
            raise


def instrument_app(app: "FastAPI") -> None:
    """Give every request of an application one span; call it before the first request.

    A request that has a span already, from an auto-instrumentation wrapper, gets no second one.
    """
    from shared.telemetry.server_spans import RequestSpanMiddleware

    # FastAPI's own telemetry makes four spans a request wherever there is a provider. Only its
    # constructor has an option for it; this application exists already.
    native = getattr(app, "_telemetry", None)
    if isinstance(native, dict):
        native["tracing"] = False
    present: list[Any] = [entry.cls for entry in app.user_middleware]
    if RequestSpanMiddleware not in present:
        app.add_middleware(RequestSpanMiddleware)


def release_app(app: "FastAPI") -> None:
    """Undo what an auto-instrumentation wrapper did to a new application.

    The wrapper patches FastAPI so that every application traces its requests. But it also makes a
    span of the invocation, so the request would have two; and older versions of the patch fail
    every request with today's FastAPI.
    """
    instrumentation = sys.modules.get("opentelemetry.instrumentation.fastapi")
    if instrumentation is not None:
        instrumentation.FastAPIInstrumentor.uninstrument_app(app)
        app.middleware_stack = None  # built by that call, and more middleware is to come


def flush() -> None:
    """Export what has been collected, within a time limit; never raises."""
    force_flush = getattr(_state.provider, "force_flush", None)
    if force_flush is None:
        return
    if _state.owns_provider:
        _quietly(force_flush)  # our exporter has the time limit
    elif _state.flushing is None or not _state.flushing.is_alive():
        from shared.telemetry.provider import LAMBDA_EXPORT_SECONDS

        _state.flushing = _bounded(force_flush, LAMBDA_EXPORT_SECONDS)


def shutdown() -> None:
    """Export what has been collected and stop; for a process that ends."""
    stop = getattr(_state.provider, "shutdown", None)
    if stop is not None:
        _bounded(stop, SHUTDOWN_SECONDS)


def _bounded(action: Callable[[], object], seconds: float) -> threading.Thread:
    """Wait for an action, but not longer than some seconds: then it continues in its thread."""
    thread = threading.Thread(target=_quietly, args=(action,), daemon=True)
    thread.start()
    thread.join(seconds)
    return thread


def _quietly(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception as error:  # noqa: BLE001 - a lost span must not cost an answer
        _log.warning("tracing_flush_failed", error=repr(error))
