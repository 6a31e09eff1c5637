"""One span a request, as plain ASGI.

FastAPI's own telemetry makes four spans a request and the contrib instrumentation three; this
makes one, with the attributes of OpenTelemetry's HTTP semantic conventions.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

import asyncio
import traceback
from collections.abc import Awaitable
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import tracing
from shared.errors import FAILURE_KEY, ServiceError
from shared.logging import request_context
from shared.request import identity
from shared.telemetry import propagation
from shared.telemetry.span_recorder import RecordedSpan

_MAX_FRAMES: Final = 20
_MAX_MESSAGE: Final = 256
_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"}
)


class RequestSpanMiddleware:
    """Makes the request's span; a request that has a span already passes through.

    On Lambda the span is INTERNAL, a subsegment of the function's own segment; elsewhere SERVER.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tracer = trace.get_tracer("fin-advisor")

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Not a coroutine itself: where there is nothing to do, the application's own is returned.
        if scope["type"] != "http" or tracing.SPAN_KEY in scope:
            return self._app(scope, receive, send)
        around = trace.get_current_span().get_span_context()
        if around.is_valid and not around.is_remote:
            return self._app(scope, receive, send)  # somebody's span is about this request already
        return self._traced(scope, receive, send, around)

    async def _traced(
        self, scope: Scope, receive: Receive, send: Send, around: trace.SpanContext
    ) -> None:
        headers = Headers(scope=scope)
        if not around.is_valid:
            parent = tracing.extract(headers)
        elif "baggage" in headers:
            parent = propagation.with_baggage(headers, otel_context.get_current())
        else:
            parent = otel_context.get_current()
        kind = SpanKind.INTERNAL if "aws.event" in scope else SpanKind.SERVER
        span = self._tracer.start_span("HTTP", parent, kind)
        status: int | None = None

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        # `trace.use_span` in fewer steps: what was raised is told by `finish`.
        token = otel_context.attach(trace.set_span_in_context(span, parent))
        raised: BaseException | None = None
        try:
            await self._app(scope, receive, watch)
        except BaseException as error:
            raised = error
            raise
        finally:
            otel_context.detach(token)
            if span.is_recording():
                finish(span, scope, status, raised)


def finish(
    span: trace.Span, scope: Scope, status: int | None, raised: BaseException | None
) -> None:
    """End a request's span with all that is known of the request.

    Args:
        span: One that is recording.
        scope: The request's, as the application leaves it behind.
        status: What was answered, or None where nothing was.
        raised: What came out of the application.
    """
    name, attributes = _description(scope, status)
    if isinstance(span, RecordedSpan):  # which need not look at each of these
        span.describe(name, attributes)
    else:
        span.update_name(name)
        span.set_attributes(attributes)
    failure = raised or scope.get(FAILURE_KEY)
    if isinstance(failure, (ClientDisconnect, asyncio.CancelledError)):
        span.set_attribute("error.type", type(failure).__qualname__)  # the caller's going: no fault
    elif raised is not None or status is None or status >= 500:
        # What is raised after the first byte leaves a good status behind, and no good end.
        _record_failure(span, failure, status)
    span.end()


def _description(scope: Scope, status: int | None) -> tuple[str, dict[str, str | int]]:
    method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "url.path": scope["path"],
        "url.scheme": scope.get("scheme", "http"),
    }
    if agent := identity.header(scope, b"user-agent"):
        attributes["user_agent.original"] = agent[:256]
    if (client := scope.get("client")) and client[0]:
        attributes["client.address"] = client[0]
    if lambda_context := scope.get("aws.context"):
        attributes["faas.invocation_id"] = getattr(lambda_context, "aws_request_id", "")
        if (invoked := request_context.current()) and invoked.cold_start:
            attributes["faas.coldstart"] = True
    if status is not None:
        attributes["http.response.status_code"] = status
    if route := getattr(scope.get("route"), "path", None):
        attributes["http.route"] = route
        return f"{method} {route}", attributes
    return "HTTP" if method == "_OTHER" else method, attributes


def _record_failure(span: trace.Span, failure: BaseException | None, status: int | None) -> None:
    """Make the span one of an error."""
    span.set_status(Status(StatusCode.ERROR))
    if failure is None:
        span.set_attribute("error.type", str(status or 500))
        return
    known = failure.code if isinstance(failure, ServiceError) else None
    span.set_attribute("error.type", known or type(failure).__qualname__)
    span.add_event("exception", _exception(failure))


def _exception(failure: BaseException) -> dict[str, str]:
    # The text of an unforeseen error may quote what somebody sent. It is in the log, where a data
    # protection policy masks it; a trace has none.
    frames = traceback.extract_tb(failure.__traceback__)[-_MAX_FRAMES:]
    attributes = {
        "exception.type": type(failure).__qualname__,
        "exception.stacktrace": "".join(traceback.format_list(frames)),
    }
    if isinstance(failure, ServiceError):
        attributes["exception.message"] = failure.detail[:_MAX_MESSAGE]  # written for callers
    return attributes
