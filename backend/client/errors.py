"""The errors of the client.

ApiError                   the API answered with an error
├── InvalidRequest         400
├── Unauthenticated        401
├── Forbidden              403
│   ├── MissingScope           the key lacks the operation's scope
│   └── UserNotPermitted       the user may not do this
├── NotFound               404
├── Conflict               409
├── TooLarge               413; 414 and 431 for a URL or headers over 10,240 bytes
├── Validation             422
├── TooManyRequests        429
│   ├── Throttled              too many requests at once
│   └── QuotaExceeded          the key's quota of the period is used up
├── InternalError          500
├── BadGateway             502
├── Unavailable            503
├── GatewayTimeout         504
└── CapacityExceeded       507
NoAnswer                   no answer arrived
├── Unreachable                no connection: the request was not sent
└── TimedOut                   the time is up, or the connection broke: the request may be done
UnexpectedAnswer           the answer is not what the API's document says
All of them are an AdvisorError.
"""

from typing import Final


class AdvisorError(Exception):
    """Every error of this client."""


class ApiError(AdvisorError):
    """The API answered with an error.

    Attributes:
        status: The HTTP status.
        code: The error's stable code; `gateway` if the gateway answered in the service's place.
        detail: What happened, and what to do.
        request_id: The id that the service's log lines have; quote it when you report the error.
        retry_after: Seconds until another attempt can succeed, if the answer says so.
        may_retry: False if the API has already repeated what failed.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
        may_retry: bool = True,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after
        self.may_retry = may_retry


class InvalidRequest(ApiError):
    """The request cannot be read."""


class Unauthenticated(ApiError):
    """The user's token is missing, wrong or has expired."""


class Forbidden(ApiError):
    """The API key is missing or wrong, or may not do this."""


class MissingScope(Forbidden):
    """The API key lacks the operation's scope."""


class UserNotPermitted(Forbidden):
    """The user may not do this."""


class NotFound(ApiError):
    """There is no such resource, or it belongs to another user."""


class Conflict(ApiError):
    """The resource was changed by another request, or is in the wrong state."""


class TooLarge(ApiError):
    """The body is over the limit."""


class Validation(ApiError):
    """A value of the request is wrong; `detail` names it."""


class TooManyRequests(ApiError):
    """The request was not done, because there were too many."""


class Throttled(TooManyRequests):
    """Too many requests at once; a later attempt can succeed."""


class QuotaExceeded(TooManyRequests):
    """The key's quota of the period is used up."""


class InternalError(ApiError):
    """The service failed."""


class BadGateway(ApiError):
    """The service, or one that it called, gave a bad answer."""


class Unavailable(ApiError):
    """A part of the API does not answer at the moment."""


class GatewayTimeout(ApiError):
    """The request took too long, and may still be carried out."""


class CapacityExceeded(ApiError):
    """The store has reached its configured size."""


class NoAnswer(AdvisorError):
    """No answer arrived."""


class Unreachable(NoAnswer):
    """There is no connection to the API; the request was not sent."""


class TimedOut(NoAnswer):
    """The time is up, or the connection broke; the request may have been carried out."""


class UnexpectedAnswer(AdvisorError):
    """The answer is not what the API's document says."""


QUOTA_MESSAGE: Final = "Limit Exceeded"
"""API Gateway's text for a used-up quota; a throttled request has another one."""

_BY_CODE: Final[dict[str, type[ApiError]]] = {
    "missing_scope": MissingScope,
    "user_not_permitted": UserNotPermitted,
}
_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    414: TooLarge,
    422: Validation,
    429: Throttled,
    431: TooLarge,
    500: InternalError,
    502: BadGateway,
    503: Unavailable,
    504: GatewayTimeout,
    507: CapacityExceeded,
}


def error_type(status: int, code: str, detail: str) -> type[ApiError]:
    """Return the type of an error answer; `ApiError` itself for a status without a type."""
    if status == 429 and detail == QUOTA_MESSAGE:
        return QuotaExceeded
    return _BY_CODE.get(code) or _BY_STATUS.get(status, ApiError)
