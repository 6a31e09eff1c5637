"""Trace context between services: read from request headers, written to the headers of calls.

https://www.w3.org/TR/trace-context/
"""

from collections.abc import Mapping
from typing import Final, override

from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import CarrierT, Getter, TextMapPropagator, default_getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.request.identity import XRAY_HEADER, XRayHeader, parse_xray

MAX_BAGGAGE_CHARACTERS: Final = 1024
"""Longer baggage is dropped: it comes from outside and is sent along with every call."""

_ROOT_KEY: Final = create_key("xray-root")
_ANY_SPAN_ID: Final = 1


def extract(headers: Mapping[str, str]) -> Context:
    """Return the OpenTelemetry context of a request's headers (names in lower case).

    X-Ray's header wins over `traceparent`: API Gateway rewrites the first and forwards the second
    unchanged.
    """
    xray = parse_xray(headers.get(XRAY_HEADER))
    if xray is None:
        return _w3c.extract(headers, with_baggage(headers, Context()), _lower_case)
    return with_baggage(headers, xray_context(xray))


def xray_context(xray: XRayHeader | None) -> Context:
    """Return the context of an X-Ray header; an empty one without a header.

    A header without a parent starts its trace here: the next span gets the header's trace id (see
    `root_trace_id`). A header without a sampling decision counts as sampled.
    """
    if xray is None:
        return Context()
    trace_id = int(xray.trace_id, 16)
    if not xray.parent_id and xray.sampled is not False:
        return set_value(_ROOT_KEY, trace_id, Context())
    sampled = trace.TraceFlags.DEFAULT if xray.sampled is False else trace.TraceFlags.SAMPLED
    parent = trace.SpanContext(
        trace_id,
        # An unsampled trace needs a valid parent too, or its id and decision would not travel.
        xray.parent_id or _ANY_SPAN_ID,
        is_remote=True,
        trace_flags=trace.TraceFlags(sampled),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())


def root_trace_id(context: Context | None = None) -> int:
    """Return the trace id for a span without a parent, or 0 if the headers named none."""
    trace_id = get_value(_ROOT_KEY, context)
    return trace_id if isinstance(trace_id, int) else 0


def with_baggage(headers: Mapping[str, str], context: Context) -> Context:
    """Return the context with the baggage of the headers (names in lower case) added."""
    return _baggage.extract(headers, context, _lower_case)


class _LowerCase(Getter[Mapping[str, str]]):
    """Reads headers with lower-case names, whatever case a propagator asks for."""

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
"""Writes both trace headers and no baggage: for calls to other parties."""

all_headers: Final[TextMapPropagator] = CompositePropagator([_baggage, _w3c, AwsXRayPropagator()])
"""The global propagator. On extraction the last propagator that finds a context wins."""
