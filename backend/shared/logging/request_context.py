"""The ids of the request being handled, which all of its log lines contain."""

import sys
import uuid
from contextvars import ContextVar, Token
from typing import Any, NamedTuple


class RequestContext(NamedTuple):
    """Ids of the request being handled.

    `trace_id` has 32 hexadecimal digits. `xray_header` is the raw header, sent on to other
    services when no tracer is active. `cold_start` is True for the first request of a Lambda
    environment, and None outside Lambda.
    """

    request_id: str
    trace_id: str | None = None
    xray_header: str | None = None
    cold_start: bool | None = None


_current: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def bind(request: RequestContext) -> Token[RequestContext | None]:
    """Make a request the current one; pass the token to `reset` when it ends."""
    return _current.set(request)


def reset(token: Token[RequestContext | None]) -> None:
    """Restore what was current before `bind`."""
    _current.reset(token)


def current() -> RequestContext | None:
    """Return the request being handled, or None outside a request."""
    return _current.get()


def request_id() -> str:
    """Return the id of the request being handled, or a new one outside a request."""
    request = _current.get()
    return request.request_id if request else new_request_id()


def new_request_id() -> str:
    """Return a new random id."""
    return str(uuid.uuid4())


def active_trace_id() -> str | None:
    """Return the trace id of the current span, otherwise that of the request's headers."""
    if ids := _span_ids():
        return ids[0]
    request = _current.get()
    return request.trace_id if request else None


def xray_trace_id(trace_id: str) -> str:
    """Return a trace id in the form that the X-Ray console searches: `1-xxxxxxxx-…`."""
    return f"1-{trace_id[:8]}-{trace_id[8:]}"


def log_fields() -> dict[str, Any]:
    """Return the ids for a log line written now."""
    fields: dict[str, Any] = {}
    request = _current.get()
    trace_id = None
    if request is not None:
        fields["request_id"] = request.request_id
        trace_id = request.trace_id
        if request.cold_start is not None:
            fields["cold_start"] = request.cold_start
    if ids := _span_ids():
        trace_id, fields["span_id"] = ids
    if trace_id:
        fields["trace_id"] = trace_id
        fields["xray_trace_id"] = xray_trace_id(trace_id)
    return fields


def _span_ids() -> tuple[str, str] | None:
    """Return the trace id and span id of OpenTelemetry's current span, or None outside a span."""
    # Not imported here: a process without tracing does not load OpenTelemetry. The function is
    # missing while another thread is still importing the module.
    get_current_span = getattr(sys.modules.get("opentelemetry.trace"), "get_current_span", None)
    if get_current_span is None:
        return None
    span = get_current_span().get_span_context()
    return (f"{span.trace_id:032x}", f"{span.span_id:016x}") if span.is_valid else None
