"""Trace context between services: read from request headers, written to the headers of calls.

https://www.w3.org/TR/trace-context/
"""

from collections.abc import Mapping
from typing import Final

from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.request.identity import XRAY_HEADER, XRayHeader, parse_xray

MAX_BAGGAGE_CHARACTERS: Final = 1024
"""Longer baggage is dropped: it comes from outside and is sent along with every call."""

_ROOT_KEY: Final = create_key("xray-root")
_ANY_SPAN_ID: Final = 1

_baggage = W3CBaggagePropagator()
_w3c = TraceContextTextMapPropagator()


def extract(headers: Mapping[str, str], runtime: XRayHeader | None = None) -> Context:
    """Return the OpenTelemetry context of a request.

    X-Ray's header wins over `traceparent`: API Gateway rewrites the first and forwards the second
    unchanged. A header without a parent starts its trace here: the next span gets the header's
    trace id (see `root_trace_id`). A header without a sampling decision counts as sampled.

    Args:
        headers: The request's headers, with names in lower case.
        runtime: The header of Lambda's runtime, which takes precedence over the request's own.
    """
    xray = runtime or parse_xray(headers.get(XRAY_HEADER))
    context = _w3c.extract(headers, Context()) if xray is None else _xray_context(xray)
    return with_baggage(headers, context)


def _xray_context(xray: XRayHeader) -> Context:
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
    if len(headers.get("baggage", "")) > MAX_BAGGAGE_CHARACTERS:
        return context
    return _baggage.extract(headers, context)


trace_headers: Final[TextMapPropagator] = CompositePropagator([_w3c, AwsXRayPropagator()])
"""Writes both trace headers and no baggage: for calls to other parties."""

all_headers: Final[TextMapPropagator] = CompositePropagator([_baggage, _w3c, AwsXRayPropagator()])
"""The global propagator. On extraction the last propagator that finds a context wins."""
