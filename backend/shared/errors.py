"""The errors of services, and their translation into HTTP responses.

ServiceError              500 internal_error
├── InvalidRequest        400 invalid_request
├── Unauthenticated       401 unauthenticated
├── Forbidden             403 forbidden
│   └── UserNotPermitted  403 user_not_permitted
├── NotFound              404 not_found
├── Conflict              409 conflict
├── PayloadTooLarge       413 payload_too_large
├── Unprocessable         422 unprocessable
├── TooManyRequests       429 too_many_requests
├── BadDependency         502 bad_dependency
├── Unavailable           503 unavailable
├── DeadlineExceeded      504 deadline_exceeded
└── CapacityExceeded      507 capacity_exceeded
"""

import math
from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.logging import get_logger
from shared.models import ErrorResponse

_log = get_logger(__name__)

NO_RETRY_HEADER: Final = "x-should-retry"
"""Header of an error answer, always `false`: this service has already repeated the call that
failed, so its caller must pass the error on and not repeat the request."""

FAILURE_KEY: Final = "shared.failure"
"""ASGI scope key: the exception behind an error response, for the request's log line."""

_MAX_PROBLEMS: Final = 5
_MAX_DETAIL: Final = 2000


class ServiceError(Exception):
    """An error with an HTTP status and a stable code.

    Args:
        detail: What happened and what the caller can do; sent to the caller.
        retry_after: Seconds until another attempt can succeed.

    Attributes:
        retried: Whether this service has already repeated the call that failed.
    """

    status: int = 500
    code: str = "internal_error"
    retried: bool = False

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after

    def to_response(self) -> Response:
        """Return the error as an HTTP response."""
        return error_response(
            self.status,
            self.code,
            self.detail,
            retry_after=self.retry_after,
            retried=self.retried,
        )


class InvalidRequest(ServiceError):
    """The request cannot be read."""

    status, code = 400, "invalid_request"


class Unauthenticated(ServiceError):
    """The caller did not authenticate."""

    status, code = 401, "unauthenticated"


class Forbidden(ServiceError):
    """The caller may not do this."""

    status, code = 403, "forbidden"


class UserNotPermitted(Forbidden):
    """The user whom the request acts for may not do this; services pass it on to their caller."""

    code = "user_not_permitted"


class NotFound(ServiceError):
    """The resource does not exist."""

    status, code = 404, "not_found"


class Conflict(ServiceError):
    """The resource was changed by another request, or is in the wrong state."""

    status, code = 409, "conflict"


class PayloadTooLarge(ServiceError):
    """The body is over the limit."""

    status, code = 413, "payload_too_large"


class Unprocessable(ServiceError):
    """The request is well formed but its values are invalid."""

    status, code = 422, "unprocessable"


class TooManyRequests(ServiceError):
    """The caller sends too many requests, or its quota is used up."""

    status, code = 429, "too_many_requests"


class BadDependency(ServiceError):
    """A dependency refused the request or gave a bad answer."""

    status, code, retried = 502, "bad_dependency", True


class Unavailable(ServiceError):
    """A dependency does not answer at the moment."""

    status, code, retried = 503, "unavailable", True


class DeadlineExceeded(ServiceError):
    """The deadline of the request has passed."""

    status, code, retried = 504, "deadline_exceeded", True


class CapacityExceeded(ServiceError):
    """The store has reached its configured size."""

    status, code = 507, "capacity_exceeded"


_CODES: Final = {
    error.status: error.code
    for error in (
        InvalidRequest, Unauthenticated, Forbidden, NotFound, Conflict, PayloadTooLarge,
        Unprocessable, TooManyRequests, BadDependency, Unavailable, DeadlineExceeded,
    )
} | {405: "method_not_allowed"}  # fmt: skip


def error_response(
    status: int,
    code: str,
    detail: str,
    *,
    retry_after: float | None = None,
    retried: bool = False,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return an `ErrorResponse` as an HTTP response.

    Args:
        status: The HTTP status.
        code: The error's stable code.
        detail: What the caller reads.
        retry_after: Seconds until another attempt can succeed.
        retried: Whether the call that failed has already been repeated.
        headers: More headers.
    """
    answer = ErrorResponse(error=code, detail=_printable(detail))
    extra = dict(headers or {})
    if retry_after is not None:
        extra["retry-after"] = str(max(1, math.ceil(retry_after)))
    if retried:
        extra[NO_RETRY_HEADER] = "false"
    return Response(answer.model_dump_json(), status, headers=extra, media_type="application/json")


def http_error(status: int, detail: str = "", *, headers: dict[str, str] | None = None) -> Response:
    """Return the error response of a status, with a standard text for statuses that have one."""
    code = _CODES.get(status, f"http_{status}")
    return error_response(status, code, _HTTP_DETAILS.get(status) or detail, headers=headers)


def install_error_handlers(app: FastAPI) -> None:
    """Translate every error of an application into an `ErrorResponse`."""

    async def service_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, ServiceError)  # noqa: S101 - Starlette calls it for this type only
        request.scope[FAILURE_KEY] = error
        return error.to_response()

    async def http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        request.scope[FAILURE_KEY] = error
        return http_error(error.status_code, str(error.detail), headers=dict(error.headers or {}))

    async def validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        request.scope[FAILURE_KEY] = error
        problems = error.errors()
        if any(problem["type"] == "json_invalid" for problem in problems):
            return error_response(400, "invalid_request", "The body is not valid JSON.")
        return error_response(422, "unprocessable", describe_problems(problems))

    app.add_exception_handler(ServiceError, service_error)
    app.add_exception_handler(HTTPException, http_exception)
    app.add_exception_handler(RequestValidationError, validation_error)


_HTTP_DETAILS: Final = {
    404: "There is no such path; /openapi.json lists the paths.",
    405: "This path does not take this method; see the Allow header.",
    400: "The body could not be read; send UTF-8 JSON.",
}


class ErrorMiddleware:
    """Answers an unexpected exception with a 500 and stores it for the request's log line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = complete = False

        async def send_noting_progress(message: Message) -> None:
            nonlocal started, complete
            await send(message)
            started = True
            complete = message["type"] == "http.response.body" and not message.get("more_body")

        try:
            await self._app(scope, receive, send_noting_progress)
        except ClientDisconnect as error:
            scope[FAILURE_KEY] = error  # there is nobody left to answer
        except Exception as error:
            if complete:  # the caller has its answer: a background task failed
                _log.error("background_task_failed", exc_info=error)
                return
            if started:  # too late to send a 500: the server closes the connection
                raise
            scope[FAILURE_KEY] = error
            detail = "Something went wrong on our side; quote the request id when you report it."
            await error_response(500, "internal_error", detail)(scope, receive, send)


def describe_problems(problems: Sequence[Any]) -> str:
    """Return one line that names each wrong field and what it expects, without its value."""
    lines = []
    for problem in problems[:_MAX_PROBLEMS]:
        where = ".".join(str(part)[:64] for part in problem["loc"] if part != "body")
        lines.append(f"{where or 'body'}: {problem['msg']}")
    if len(problems) > _MAX_PROBLEMS:
        lines.append(f"and {len(problems) - _MAX_PROBLEMS} more")
    return "; ".join(lines)


def _printable(text: str) -> str:
    # A field name of the request may contain a lone surrogate, which UTF-8 cannot encode.
    return text.encode("utf-8", "backslashreplace").decode()[:_MAX_DETAIL]
