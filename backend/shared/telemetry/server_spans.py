"""One span a request, as plain ASGI.

FastAPI's own telemetry makes four spans a request and OpenTelemetry's instrumentation three. This
makes one, with the attributes of OpenTelemetry's HTTP semantic conventions.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

import asyncio
import traceback
from collections.abc import Awaitable
from contextlib import AbstractContextManager
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import FAILURE_KEY, ServiceError
from shared.logging import request_context
from shared.request import identity
from shared.telemetry import propagation
from shared.telemetry.scope import SPAN_KEY

_MAX_FRAMES: Final = 20
_MAX_MESSAGE: Final = 256
_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"}
)


class RequestSpanMiddleware:
    """Makes the request's span, unless the request has one already.

    On Lambda the span is INTERNAL, a subsegment of the function's own segment; elsewhere SERVER.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tracer = trace.get_tracer("fin-advisor")

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Call the application, inside a span where the request needs one."""
        active = trace.get_current_span().get_span_context()
        is_traced = SPAN_KEY in scope or (active.is_valid and not active.is_remote)
        if scope["type"] != "http" or is_traced:
            return self._app(scope, receive, send)
        return self._traced(scope, receive, send)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        status: int | None = None

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        token = otel_context.attach(_parent_context(scope))
        try:
            kind = SpanKind.INTERNAL if "aws.event" in scope else SpanKind.SERVER
            span = self._tracer.start_span("HTTP", kind=kind)
            with use_span(span):
                try:
                    await self._app(scope, receive, watch)
                except BaseException as error:
                    finish(span, scope, status, error)
                    raise
                finish(span, scope, status, None)
        finally:
            otel_context.detach(token)


def use_span(span: trace.Span) -> AbstractContextManager[trace.Span]:
    """Make a span current for a block; `finish` records its errors and ends it."""
    return trace.use_span(span, record_exception=False, set_status_on_exception=False)


def _parent_context(scope: Scope) -> Context:
    headers = Headers(scope=scope)
    if trace.get_current_span().get_span_context().is_valid:  # of the invocation's header
        return propagation.with_baggage(headers, otel_context.get_current())
    return propagation.extract(headers)


def finish(
    span: trace.Span, scope: Scope, status: int | None, raised: BaseException | None
) -> None:
    """End a request's span, described by the request and its outcome.

    Args:
        span: The request's span.
        scope: The request's ASGI scope, after the application has run.
        status: The status that was sent, or None if none was.
        raised: The error that the application raised, if any.
    """
    if span.is_recording():
        name, attributes = _description(scope, status)
        span.update_name(name)
        span.set_attributes(attributes)
        failure = raised or scope.get(FAILURE_KEY)
        if isinstance(failure, (ClientDisconnect, asyncio.CancelledError)):
            # The caller left, which is no error of this service.
            span.set_attribute("error.type", type(failure).__qualname__)
        elif raised is not None or status is None or status >= 500:
            # An error after the first byte of the answer leaves a good status behind.
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
    span.set_status(StatusCode.ERROR)
    if failure is None:
        span.set_attribute("error.type", str(status or 500))
        return
    known = failure.code if isinstance(failure, ServiceError) else None
    span.set_attribute("error.type", known or type(failure).__qualname__)
    span.add_event("exception", _exception(failure))


def _exception(failure: BaseException) -> dict[str, str]:
    # Without the text of an unexpected error, which may quote a caller's data. The log has it,
    # under a data protection policy; traces have no such policy.
    frames = traceback.extract_tb(failure.__traceback__)[-_MAX_FRAMES:]
    attributes = {
        "exception.type": type(failure).__qualname__,
        "exception.stacktrace": "".join(traceback.format_list(frames)),
    }
    if isinstance(failure, ServiceError):
        attributes["exception.message"] = failure.detail[:_MAX_MESSAGE]  # written for callers
    return attributes
