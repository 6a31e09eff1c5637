"""One span a request, with the attributes of OpenTelemetry's HTTP semantic conventions.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

import asyncio
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
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
from shared.telemetry.scope import SPAN_KEY, STATUS_KEY

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, inside a span if the request needs one."""
        current = trace.get_current_span().get_span_context()
        is_traced = SPAN_KEY in scope or (current.is_valid and not current.is_remote)
        if scope["type"] != "http" or is_traced:
            await self._app(scope, receive, send)
            return

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope[STATUS_KEY] = message["status"]
            await send(message)

        headers = Headers(scope=scope)
        if current.is_valid:  # the parent in the Lambda runtime's header
            parent = propagation.with_baggage(headers, otel_context.get_current())
        else:
            parent = propagation.extract(headers)
        kind = SpanKind.INTERNAL if "aws.event" in scope else SpanKind.SERVER
        with request_span(scope, parent, kind):
            await self._app(scope, receive, watch)


@contextmanager
def request_span(scope: Scope, parent: Context, kind: SpanKind) -> Iterator[None]:
    """Make a request's span for a block, which puts its outcome into the scope.

    The keys are `STATUS_KEY` and `FAILURE_KEY`. An error that leaves the block needs no key.
    """
    span = trace.get_tracer("fin-advisor").start_span("HTTP", parent, kind)
    scope[SPAN_KEY] = span
    token = otel_context.attach(trace.set_span_in_context(span, parent))
    raised: BaseException | None = None
    try:
        yield
    except BaseException as error:
        raised = error
        raise
    finally:
        otel_context.detach(token)
        if span.is_recording():
            _describe(span, scope, raised)
        span.end()


def _describe(span: trace.Span, scope: Scope, raised: BaseException | None) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
    status = scope.get(STATUS_KEY)
    route = getattr(scope.get("route"), "path", None)
    span.update_name(f"{method} {route}" if route else method.replace("_OTHER", "HTTP"))
    attributes = {
        "http.request.method": method,
        "http.response.status_code": status,
        "http.route": route,
        "url.path": scope["path"],
        "url.scheme": scope.get("scheme", "http"),
        "user_agent.original": (identity.header(scope, b"user-agent") or "")[:256],
        "client.address": (scope.get("client") or [None])[0],
    }
    if lambda_context := scope.get("aws.context"):
        attributes["faas.invocation_id"] = getattr(lambda_context, "aws_request_id", "")
        invoked = request_context.current()
        attributes["faas.coldstart"] = bool(invoked and invoked.cold_start)
    span.set_attributes({name: value for name, value in attributes.items() if value})
    failure = raised or scope.get(FAILURE_KEY)
    if isinstance(failure, (ClientDisconnect, asyncio.CancelledError)):
        # The caller left, which is no error of this service.
        span.set_attribute("error.type", type(failure).__qualname__)
    elif raised is not None or status is None or status >= 500:
        # An error after the first byte of the answer leaves a good status behind.
        _record_failure(span, failure, status)


def _record_failure(span: trace.Span, failure: BaseException | None, status: int | None) -> None:
    span.set_status(StatusCode.ERROR)
    if failure is None:
        span.set_attribute("error.type", str(status or 500))
        return
    known = failure.code if isinstance(failure, ServiceError) else None
    span.set_attribute("error.type", known or type(failure).__qualname__)
    # Without the text of an unexpected error, which may quote a caller's data. The log has it,
    # under a data protection policy; traces have no such policy.
    frames = traceback.extract_tb(failure.__traceback__)[-_MAX_FRAMES:]
    exception = {
        "exception.type": type(failure).__qualname__,
        "exception.stacktrace": "".join(traceback.format_list(frames)),
    }
    if isinstance(failure, ServiceError):
        exception["exception.message"] = failure.detail[:_MAX_MESSAGE]  # written for callers
    span.add_event("exception", exception)
