"""Errors of calls to other services. All are `ServiceError`s, with an HTTP answer if not caught.

CallError
├── RequestRefused     the service or the gateway answered 4xx
│   ├── KeyRefused     the gateway accepts neither the current nor the previous key
│   ├── Throttled      429, too many requests a second
│   └── QuotaExceeded  429, the key's quota is used up; never retried
├── UnsendableRequest  the path or the body cannot be sent
├── CallTimeout        no answer by the deadline or the call's own timeout
├── ServiceUnreachable no connection
└── BadAnswer          5xx, a redirect, or an answer that is too large
"""

from typing import Any, Final

import httpx

from shared.api_client.answers import text_fields
from shared.errors import ServiceError, UserNotPermitted

_OUR_FAULT: Final = frozenset({401, 403})


class CallError(ServiceError):
    """A call to another service failed.

    Attributes:
        response: The answer, or None if there was none.
        retryable: Whether the same request may be sent again.
        attempts: How many times the request was sent.
    """

    status, code, retried = 502, "call_failed", True

    def __init__(
        self,
        detail: str,
        *,
        response: httpx.Response | None = None,
        retry_after: float | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.response = response
        self.retryable = retryable
        self.attempts = 1


class RequestRefused(CallError):
    """The service or the gateway refused the request.

    A status that our own caller can act on (400, 404, 409, 413, 422) is passed on. 401 and 403
    mean that this service's key is wrong, which our caller cannot change: they become 502, unless
    the 403 is about the user whom this service acts for.
    """

    def __init__(self, detail: str, *, response: httpx.Response, **options: Any) -> None:
        super().__init__(detail, response=response, **options)
        code = text_fields(response).get("error")
        is_ours = response.status_code in _OUR_FAULT and code != UserNotPermitted.code
        if type(self) is RequestRefused and not is_ours:
            self.status = response.status_code
            self.code = code or "request_refused"


class KeyRefused(RequestRefused):
    """The gateway accepts neither the current nor the previous key of this service."""

    status, code = 502, "key_refused"


class Throttled(RequestRefused):
    """The gateway or the service receives too many requests a second."""

    status, code = 503, "throttled"


class QuotaExceeded(RequestRefused):
    """The quota of this service's key is used up until its period ends."""

    status, code = 503, "quota_exceeded"


class UnsendableRequest(CallError):
    """The path leaves the gateway's stage, or the path, headers or body cannot be encoded."""

    status, code, retried = 422, "unsendable_request", False


class CallTimeout(CallError):
    """No answer came in time."""

    status, code = 504, "call_timeout"


class ServiceUnreachable(CallError):
    """No connection could be opened, or it broke."""

    status, code = 503, "service_unreachable"


class BadAnswer(CallError):
    """The service failed, or its answer cannot be used."""

    status, code = 502, "bad_answer"
