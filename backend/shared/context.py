"""What a request carries from hop to hop: its id and its trace."""

import re
import sys
import uuid
from contextvars import ContextVar
from functools import lru_cache
from typing import Final, NamedTuple

REQUEST_ID_HEADER: Final = "x-request-id"
XRAY_HEADER: Final = "x-amzn-trace-id"

# Printable and short, so that an id from outside can neither forge a log line nor fill one.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:=/+-]{1,128}")
_XRAY_ROOT: Final = re.compile(r"(?:^|;)\s*Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


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

bind = _current.set
reset = _current.reset


def current() -> RequestContext | None:
    """Return the identifiers of the request being handled, or None outside a request."""
    return _current.get()


def request_id() -> str:
    """Return the id of the request being handled, or a new one outside a request."""
    context = _current.get()
    return context.request_id if context else new_request_id()


def new_request_id() -> str:
    """Return a fresh random id."""
    return str(uuid.uuid4())


def accept_request_id(value: str | None) -> str | None:
    """Return an id from outside if it is safe to log and to hand on."""
    return value if value and _REQUEST_ID.fullmatch(value) else None


def trace_id_of(xray_header: str | None, traceparent: str | None = None) -> str | None:
    """Return the trace id in either header as 32 hexadecimal digits; X-Ray's wins."""
    if xray_header and (match := _XRAY_ROOT.search(xray_header)):
        return match[1].replace("-", "")[1:]
    if traceparent and (match := _TRACEPARENT.fullmatch(traceparent)):
        return match[1]
    return None


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
