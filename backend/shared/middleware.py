"""Request logging: one line when a request starts, one when it ends, whatever happens."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import FAILURE_KEY, ServiceError
from shared.logging import get_logger, request_context
from shared.request import identity
from shared.telemetry.metrics import ServiceMetrics

_log = get_logger()

_REQUEST_ID: Final = identity.REQUEST_ID_HEADER.encode()
_XRAY: Final = identity.XRAY_HEADER.encode()

CLIENT_CLOSED: Final = 499
"""Status in the log of a request whose client went away (nginx's convention)."""


class LoggingMiddleware:
    """Logs each HTTP request and gives it its identifiers; other scopes pass through.

    Args:
        app: The application below.
        trusted_proxies: How many proxies in front append to `X-Forwarded-For`; 0 takes the
            address of the connection, which on Lambda is the gateway's `sourceIp`.
        metrics: What also writes a line of metrics for each request.
    """

    def __init__(
        self, app: ASGIApp, *, trusted_proxies: int = 0, metrics: ServiceMetrics | None = None
    ) -> None:
        self._app = app
        self._trusted_proxies = trusted_proxies
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _LoggedRequest(scope, self._trusted_proxies, self._metrics)

        async def watched_receive() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and request.status is None:
                request.client_closed = True
            return message

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                MutableHeaders(scope=message)[identity.REQUEST_ID_HEADER] = request.id
            await send(message)

        with request:
            await self._app(scope, watched_receive, send_with_id)


async def logging_middleware(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Log a request; the function form, for `@app.middleware("http")`."""
    with _LoggedRequest(request.scope, 0) as logged:
        response = await call_next(request)
        logged.status = response.status_code
        response.headers[identity.REQUEST_ID_HEADER] = logged.id
        return response


class _LoggedRequest:
    """The two lines of one request, and the identifiers that are bound between them."""

    def __init__(
        self, scope: Scope, trusted_proxies: int, metrics: ServiceMetrics | None = None
    ) -> None:
        self.status: int | None = None
        self.client_closed = False
        self._scope = scope
        self._metrics = metrics
        event = scope.get("aws.event") or {}
        invoked = request_context.current() if event else None
        self.id = (
            identity.accept_request_id(identity.header(scope, _REQUEST_ID))
            or identity.accept_request_id((event.get("requestContext") or {}).get("requestId"))
            or request_context.new_request_id()
        )
        if invoked is not None and invoked.trace_id is not None:
            # The runtime's own header is the right one; a request may repeat its.
            self._context = invoked._replace(request_id=self.id)
        else:
            xray = _xray_header(scope)
            trace_id = identity.trace_id_of(
                identity.parse_xray(xray), identity.header(scope, b"traceparent")
            )
            cold_start = invoked.cold_start if invoked else None
            self._context = request_context.RequestContext(self.id, trace_id, xray, cold_start)
        self._fields = {
            "method": scope["method"],
            "path": _route_path(scope),
            "client_ip": _client_ip(scope, trusted_proxies),
        }

    def __enter__(self) -> "_LoggedRequest":
        self._token = request_context.bind(self._context)
        # What an earlier request of the same task left bound must not colour this one's lines.
        structlog.contextvars.clear_contextvars()
        if self._metrics is not None:
            self._measured = self._metrics.begin()
        self._started = time.perf_counter()
        _log.info("request_started", **self._fields)
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        duration = time.perf_counter() - self._started
        fields = self._fields | {"duration": round(duration, 6)}
        failure = error or self._scope.get(FAILURE_KEY)
        status = self.status or 500
        try:
            if self.client_closed or isinstance(
                failure, (ClientDisconnect, asyncio.CancelledError)
            ):
                status = CLIENT_CLOSED
                _log.info("request_aborted", **fields, status=status)
            elif error is not None or status == 500:
                status = 500
                _log.error("request_failed", **fields, status=500, exc_info=failure)
            elif isinstance(failure, ServiceError):
                self._log_refusal(failure, fields)
            else:
                _log.info("request_completed", **fields, status=self.status)
        finally:
            if self._metrics is not None:
                self._metrics.end(
                    self._measured,
                    path=self._fields["path"],
                    status=status,
                    duration_seconds=duration,
                    cold_start=self._context.cold_start,
                )
            request_context.reset(self._token)

    def _log_refusal(self, failure: ServiceError, fields: dict[str, object]) -> None:
        told = {"error": failure.code, "detail": failure.detail}
        if failure.status < 500:
            _log.info("request_completed", **fields, status=self.status, **told)
        else:
            # The cause is why the dependency failed; the caller was told the detail only.
            _log.error(
                "request_completed", **fields, status=self.status, **told, cause=_cause(failure)
            )


def _route_path(scope: Scope) -> str:
    """Return the path without the gateway's prefix, as the routes spell it."""
    path: str = scope["path"]
    prefix = scope.get("root_path", "")
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        return path[len(prefix) :] or "/"
    return path


def _cause(failure: BaseException) -> str | None:
    return repr(failure.__cause__)[:500] if failure.__cause__ else None


def _xray_header(scope: Scope) -> str | None:
    value = identity.header(scope, _XRAY)
    return value if value and len(value) <= 512 else None


def _client_ip(scope: Scope, trusted_proxies: int) -> str | None:
    if trusted_proxies:
        hops = [
            hop.strip()
            for hop in (identity.header(scope, b"x-forwarded-for") or "").split(",")
            if hop
        ]
        if len(hops) >= trusted_proxies:
            return hops[-trusted_proxies][:64]
    client = scope.get("client")
    return client[0] if client else None
