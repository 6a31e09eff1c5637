"""One span a request, as plain ASGI.

FastAPI's own telemetry makes four spans a request and the contrib instrumentation three; this
makes one, with the attributes of OpenTelemetry's HTTP semantic conventions.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

import asyncio
import traceback
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import context, trace_context, tracing
from shared.errors import FAILURE_KEY, ServiceError

_MAX_FRAMES: Final = 20
_MAX_MESSAGE: Final = 256
_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"}
)


class RequestSpanMiddleware:
    """Makes the request's span; a request inside a recording span passes through.

    Below a context that the Lambda entry attached, the span is INTERNAL, a subsegment of the
    function's own segment; elsewhere it is SERVER.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tracer = trace.get_tracer("fin-advisor")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        around = trace.get_current_span().get_span_context()
        if scope["type"] != "http" or (around.is_valid and not around.is_remote):
            await self._app(scope, receive, send)  # somebody's span is about this request already
            return
        headers = Headers(scope=scope)
        on_lambda = "aws.event" in scope
        # On Lambda the runtime's trace header, attached already, wins over the request's.
        invoked = context.current() if on_lambda else None
        is_attached = around.is_valid or (invoked is not None and invoked.xray_header is not None)
        if not is_attached:
            parent = tracing.extract(headers)
        elif "baggage" in headers:
            parent = trace_context.with_baggage(headers, otel_context.get_current())
        else:
            parent = otel_context.get_current()
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        span = self._tracer.start_span(
            "HTTP" if method == "_OTHER" else method,
            context=parent,
            kind=SpanKind.INTERNAL if on_lambda else SpanKind.SERVER,
            attributes=_attributes(scope, method, headers),
        )
        if not span.is_recording():
            # The context still travels: what is called next must follow the same decision.
            with trace.use_span(span):
                await self._app(scope, receive, send)
            return
        status: int | None = None

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        # `trace.use_span` in fewer steps: what was raised is told by `_finish`.
        token = otel_context.attach(trace.set_span_in_context(span, parent))
        raised: BaseException | None = None
        try:
            await self._app(scope, receive, watch)
        except BaseException as error:
            raised = error
            raise
        finally:
            otel_context.detach(token)
            _finish(span, scope, method, status, raised)
            span.end()


def _attributes(scope: Scope, method: str, headers: Headers) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "http.request.method": method,
        "url.path": scope["path"],
        "url.scheme": scope.get("scheme", "http"),
    }
    if agent := headers.get("user-agent"):
        attributes["user_agent.original"] = agent[:256]
    if client := scope.get("client"):
        attributes["client.address"] = client[0]
    if lambda_context := scope.get("aws.context"):
        attributes["faas.invocation_id"] = getattr(lambda_context, "aws_request_id", "")
        invoked = context.current()
        attributes["faas.coldstart"] = bool(invoked and invoked.cold_start)
    return attributes


def _finish(
    span: trace.Span,
    scope: Scope,
    method: str,
    status: int | None,
    raised: BaseException | None,
) -> None:
    if status is not None:
        span.set_attribute("http.response.status_code", status)
    if route := getattr(scope.get("route"), "path", None):
        span.set_attribute("http.route", route)
        span.update_name(f"{method} {route}")
    failure = raised or scope.get(FAILURE_KEY)
    if isinstance(failure, (ClientDisconnect, asyncio.CancelledError)):
        span.set_attribute("error.type", type(failure).__qualname__)  # the caller's going: no fault
        return
    # What is raised after the first byte leaves a good status behind, and no good end.
    if raised is None and status is not None and status < 500:
        return
    span.set_status(Status(StatusCode.ERROR))
    if isinstance(failure, ServiceError):
        span.set_attribute("error.type", failure.code)
    elif failure is not None:
        span.set_attribute("error.type", type(failure).__qualname__)
    else:
        span.set_attribute("error.type", str(status or 500))
    if failure is not None:
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
