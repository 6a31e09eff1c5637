"""The ids of the request being handled, which every log line of it carries."""

import sys
import uuid
from contextvars import ContextVar
from functools import lru_cache
from typing import NamedTuple


class RequestContext(NamedTuple):
    """Identifiers of the request being handled.

    `trace_id` is 32 hexadecimal digits; `xray_header` is the raw header to hand on where no
    tracer is active; `cold_start` is whether this is its environment's first request, and None
    where there are no cold starts.
    """

    request_id: str
    trace_id: str | None = None
    xray_header: str | None = None
    cold_start: bool | None = None


_current: ContextVar[RequestContext | None] = ContextVar("request", default=None)

# `current` returns the identifiers of the request being handled, or None outside a request.
bind, reset, current = _current.set, _current.reset, _current.get


def request_id() -> str:
    """Return the id of the request being handled, or a new one outside a request."""
    context = _current.get()
    return context.request_id if context else new_request_id()


def new_request_id() -> str:
    """Return a fresh random id."""
    return str(uuid.uuid4())


def active_trace_id() -> str | None:
    """Return the trace id of the active span, or else of the request's headers."""
    # Looked up rather than imported: a process without tracing does not pay for the API.
    if trace := sys.modules.get("opentelemetry.trace"):
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            return f"{span.trace_id:032x}"
    context = _current.get()
    return context.trace_id if context else None


@lru_cache(maxsize=64)  # a request's lines are mostly of one trace
def xray_trace_id(trace_id: str) -> str:
    """Return a trace id in the form that the X-Ray console searches: `1-xxxxxxxx-…`."""
    return f"1-{trace_id[:8]}-{trace_id[8:]}"
