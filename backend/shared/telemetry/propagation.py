"""The trace that a request belongs to: read from its headers, and handed on in them.

https://www.w3.org/TR/trace-context/
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final, override

from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import CarrierT, Getter, TextMapPropagator, default_getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.request.identity import XRAY_HEADER, XRayHeader, parse_xray

MAX_BAGGAGE_CHARACTERS: Final = 1024
"""Baggage comes from outside and is sent on at every hop; a longer one is dropped whole."""

_SOME_SPAN: Final = 1
_SAMPLED: Final = trace.TraceFlags(trace.TraceFlags.SAMPLED)
_UNSAMPLED: Final = trace.TraceFlags(trace.TraceFlags.DEFAULT)

_root: ContextVar[int] = ContextVar("xray_root", default=0)


def extract(headers: Mapping[str, str]) -> Context:
    """Return the OpenTelemetry context that headers (names in lower case) carry.

    X-Ray's header wins over `traceparent`: the gateway rewrites the first and passes the second.
    """
    context = Context()
    if "baggage" in headers:
        context = with_baggage(headers, context)
    xray = parse_xray(headers.get(XRAY_HEADER))
    parent = parent_of(xray)
    if parent is not None:
        return trace.set_span_in_context(trace.NonRecordingSpan(parent), context)
    return context if xray else _w3c.extract(headers, context, _lower_case)


def parent_of(xray: XRayHeader | None) -> trace.SpanContext | None:
    """Return the span that an X-Ray header names.

    Where it names a trace and no span, the next one begins that trace (`root_trace_id`); where it
    leaves the sampling open, the trace is sampled.
    """
    if xray is None or (not xray.parent_id and xray.sampled is not False):
        _root.set(int(xray.trace_id, 16) if xray else 0)
        return None
    if _root.get():  # of an earlier request; to set a variable of the context costs more
        _root.set(0)
    return span_context(
        int(xray.trace_id, 16),
        # What is not sampled needs some parent all the same: the trace id and the decision travel.
        xray.parent_id or _SOME_SPAN,
        _UNSAMPLED if xray.sampled is False else _SAMPLED,
        is_remote=True,
    )


def span_context(
    trace_id: int,
    span_id: int,
    flags: trace.TraceFlags,
    state: trace.TraceState = trace.DEFAULT_TRACE_STATE,
    *,
    is_remote: bool = False,
) -> trace.SpanContext:
    """Return a `SpanContext` of ids that are known to be valid, in a third of its own time."""
    fields = (trace_id, span_id, is_remote, flags, state, True)
    return tuple.__new__(trace.SpanContext, fields)


def with_baggage(headers: Mapping[str, str], context: Context) -> Context:
    """Return the context with the baggage that headers (names in lower case) carry."""
    return _baggage.extract(headers, context, _lower_case)


def root_trace_id() -> int:
    """Return the trace that the request's header began without a parent, or 0."""
    return _root.get()


class _LowerCase(Getter[Mapping[str, str]]):
    """Reads headers whose names are in lower case, whatever case a propagator asks in."""

    def get(self, carrier: Mapping[str, str], key: str) -> list[str] | None:
        value = carrier.get(key.lower())
        return None if value is None else [value]

    def keys(self, carrier: Mapping[str, str]) -> list[str]:
        return list(carrier)


class _BoundedBaggage(W3CBaggagePropagator):
    @override
    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        header = "".join(getter.get(carrier, "baggage") or ())
        if not header or len(header) > MAX_BAGGAGE_CHARACTERS:
            return context if context is not None else Context()
        return super().extract(carrier, context, getter)


_lower_case = _LowerCase()
_baggage = _BoundedBaggage()
_w3c = TraceContextTextMapPropagator()

trace_headers: Final[TextMapPropagator] = CompositePropagator([_w3c, AwsXRayPropagator()])
"""Writes both trace headers, and no baggage: for calls that leave the estate."""

all_headers: Final[TextMapPropagator] = CompositePropagator(
    [_baggage, _w3c, AwsXRayPropagator()]  # of extractors, the last one that finds something wins
)
"""The process's propagator."""
