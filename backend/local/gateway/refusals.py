"""API Gateway's own error answers."""

import json
from enum import Enum


class Refusal(Enum):
    """A gateway response: its status, its message and its `x-amzn-errortype` header."""

    MISSING_AUTHENTICATION_TOKEN = (
        403,
        "Missing Authentication Token",
        "MissingAuthenticationTokenException",
    )
    UNAUTHORIZED = (401, "Unauthorized", "UnauthorizedException")
    TOKEN_EXPIRED = (401, "The incoming token has expired", "UnauthorizedException")
    FORBIDDEN = (403, "Forbidden", "ForbiddenException")
    QUOTA_EXCEEDED = (429, "Limit Exceeded", "LimitExceededException")
    THROTTLED = (429, "Too Many Requests", "TooManyRequestsException")
    REQUEST_TOO_LARGE = (413, "Request Too Long", "RequestTooLargeException")
    URL_TOO_LONG = (414, "An HTTP line is larger than 10240 bytes.", "BadRequestException")
    HEADERS_TOO_LARGE = (431, "HTTP header is larger than 10240 bytes.", "BadRequestException")
    INTERNAL_ERROR = (500, "Internal server error", "InternalServerErrorException")
    FUNCTION_FAILED = (502, "Internal server error", "InternalServerErrorException")
    INTEGRATION_TIMEOUT = (504, "Endpoint request timed out", "InternalServerErrorException")
    INTEGRATION_UNREACHABLE = (
        504,
        "Network error communicating with endpoint",
        "InternalServerErrorException",
    )

    def __init__(self, status: int, message: str, error_type: str) -> None:
        self.status = status
        self.message = message
        self.error_type = error_type

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [("content-type", "application/json"), ("x-amzn-errortype", self.error_type)]

    @property
    def body(self) -> bytes:
        return json.dumps({"message": self.message}, separators=(",", ":")).encode()


class RefusedError(Exception):
    """The gateway refuses the request and answers it itself."""

    def __init__(self, refusal: Refusal, reason: str = "") -> None:
        super().__init__(reason or refusal.message)
        self.refusal = refusal
