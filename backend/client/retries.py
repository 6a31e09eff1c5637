"""When a failed request is sent again, and how long to wait first."""

import random
from typing import Final

import httpx

from client.errors import (
    AdvisorError,
    ApiError,
    BadGateway,
    GatewayTimeout,
    InternalError,
    Throttled,
    TimedOut,
    Unavailable,
    Unreachable,
)

IDEMPOTENCY_KEY: Final = "idempotency-key"

_REPEATABLE: Final = frozenset(["GET", "HEAD", "PUT", "DELETE"])
_TRANSIENT: Final = (InternalError, BadGateway, Unavailable, GatewayTimeout)
_BACKOFF_SECONDS: Final = 0.2
_MAX_BACKOFF_SECONDS: Final = 5.0
_LONGEST_RETRY_AFTER: Final = 30.0


class Retries:
    """Whether a request is sent again after an error, and when."""

    def __init__(self, request: httpx.Request, attempts: int) -> None:
        self._attempts_left = attempts
        self._wait = _BACKOFF_SECONDS
        self._is_repeatable = request.method in _REPEATABLE or IDEMPOTENCY_KEY in request.headers

    def seconds_before_next(self, error: AdvisorError) -> float | None:
        """Return how long to wait before the next attempt, with full jitter; None for no more."""
        self._attempts_left -= 1
        if self._attempts_left < 1 or not self._helps(error):
            return None
        longest = self._wait
        self._wait = min(self._wait * 2, _MAX_BACKOFF_SECONDS)
        asked = (error.retry_after if isinstance(error, ApiError) else None) or 0.0
        if asked > _LONGEST_RETRY_AFTER:
            return None  # the caller decides: it has `retry_after`
        return asked + random.uniform(0, longest)  # noqa: S311 - jitter, not a secret

    def _helps(self, error: AdvisorError) -> bool:
        if isinstance(error, Unreachable | Throttled):
            return True
        if not self._is_repeatable:
            return False
        if isinstance(error, ApiError):
            return isinstance(error, _TRANSIENT) and error.may_retry
        return isinstance(error, TimedOut)
