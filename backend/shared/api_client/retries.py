"""When a failed call is sent again, and how long to wait first."""

import random
from typing import Final

from shared.api_client.answers import retry_after_seconds
from shared.api_client.errors import CallError
from shared.request import deadline

ATTEMPTS: Final = 3
BACKOFF_SECONDS: Final = 0.1
MAX_BACKOFF_SECONDS: Final = 2.0
RETRY_SHARE: Final = 0.1
RETRY_RESERVE: Final = 10.0


class RetryBudget:
    """Limits the retries of calls to one service to a share of the calls, after a reserve.

    When a service fails for good, retries add a tenth to its load and not a multiple.

    Args:
        attempts: How many times a request is sent at most.
    """

    def __init__(self, attempts: int = ATTEMPTS) -> None:
        self.attempts = attempts
        self._retries_left = RETRY_RESERVE

    def count_call(self) -> None:
        """Add a call's share to the budget."""
        self._retries_left = min(RETRY_RESERVE, self._retries_left + RETRY_SHARE)

    def wait_before_retry(self, error: Exception) -> bool | float:
        """Return the seconds to wait before the next attempt, or False for no further attempt.

        The form is that of stamina's `on` hook.
        """
        # stamina asks after the last attempt too.
        if not isinstance(error, CallError) or error.attempts >= self.attempts:
            return False
        wait = wait_before_retry(error)
        if wait is False or self._retries_left < 1:
            return False
        self._retries_left -= 1
        return wait


def wait_before_retry(error: CallError) -> bool | float:
    """Return the seconds to wait before the next attempt, or False if it cannot help.

    Waits are exponential with full jitter.
    """
    if not error.retryable:
        return False
    longest = min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2**error.attempts)
    wait = random.uniform(0, longest)  # noqa: S311 - jitter, not a secret
    if error.response is not None:
        # Added to the jitter: clients that got the same Retry-After should not all return at once.
        wait += retry_after_seconds(error.response) or 0.0
    seconds_left = deadline.remaining_seconds()
    # If the wait ends after the deadline, fail now instead.
    if seconds_left is not None and wait + deadline.HOP_SECONDS >= seconds_left:
        return False
    return wait
