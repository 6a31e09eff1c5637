"""Request logging: one line when a request starts and one when it ends, even if it fails."""

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

PROXIES_KEY: Final = "shared.trusted_proxies"
"""ASGI scope key: the number of trusted proxies, where the request has proved which way it came."""

CLIENT_CLOSED: Final = 499
"""The logged status of a request whose client disconnected (nginx's convention)."""


class LoggingMiddleware:
    """Logs each HTTP request and binds its ids to its log lines. Ignores other ASGI scopes.

    Args:
        app: The next ASGI application.
        trusted_proxies: The number of proxies in front that append to `X-Forwarded-For`,
            whichever way a request comes. With 0 the client's address is that of the connection;
            on Lambda, the gateway's `sourceIp`.
        metrics: Also writes a line of metrics for each request.
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

        async def receive_watching_disconnects() -> Message:
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
            await self._app(scope, receive_watching_disconnects, send_with_id)


async def logging_middleware(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Log a request: the function form of `LoggingMiddleware`, for `@app.middleware("http")`."""
    with _LoggedRequest(request.scope, 0) as logged:
        response = await call_next(request)
        logged.status = response.status_code
        response.headers[identity.REQUEST_ID_HEADER] = logged.id
        return response


class _LoggedRequest:
    """Writes the two lines of one request, and binds its ids between them."""

    def __init__(
        self, scope: Scope, trusted_proxies: int, metrics: ServiceMetrics | None = None
    ) -> None:
        self.status: int | None = None
        self.client_closed = False
        self._scope = scope
        self._trusted_proxies = trusted_proxies
        self._metrics = metrics
        invocation = request_context.current() if scope.get("aws.event") else None
        self.id = (
            identity.accept_request_id(identity.header(scope, _REQUEST_ID))
            or identity.accept_request_id(identity.gateway_context(scope).get("requestId"))
            or request_context.new_request_id()
        )
        if invocation is not None and invocation.trace_id is not None:
            # The trace id from Lambda's runtime takes precedence over the request's headers.
            self._ids = invocation._replace(request_id=self.id)
        else:
            xray = _xray_header(scope)
            trace_id = identity.trace_id_of(
                identity.parse_xray(xray), identity.header(scope, b"traceparent")
            )
            cold_start = invocation.cold_start if invocation else None
            self._ids = request_context.RequestContext(self.id, trace_id, xray, cold_start)
        self._fields = {
            "method": scope["method"],
            "path": identity.route_path(scope),
            "client_ip": _client_ip(scope, trusted_proxies),
        }

    def __enter__(self) -> "_LoggedRequest":
        self._token = request_context.bind(self._ids)
        # An earlier request of the same task may have left variables bound.
        structlog.contextvars.clear_contextvars()
        if self._metrics is not None:
            self._measured = self._metrics.begin()
        self._started = time.perf_counter()
        _log.info("request_started", **self._fields)
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        duration = time.perf_counter() - self._started
        proxies = self._scope.get(PROXIES_KEY, self._trusted_proxies)
        fields = self._fields | {
            "client_ip": _client_ip(self._scope, proxies),
            "duration": round(duration, 6),
        }
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
                    cold_start=self._ids.cold_start,
                )
            request_context.reset(self._token)

    def _log_refusal(self, failure: ServiceError, fields: dict[str, object]) -> None:
        error_fields = {"error": failure.code, "detail": failure.detail}
        if failure.status < 500:
            _log.info("request_completed", **fields, status=self.status, **error_fields)
        else:
            # The cause says why the dependency failed; the caller only saw the detail.
            _log.error(
                "request_completed",
                **fields,
                status=self.status,
                **error_fields,
                cause=_cause(failure),
            )


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
