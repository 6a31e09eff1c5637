"""When a failed call is sent again, and how long to wait first."""

import random
from typing import Final

from shared.api_client.answers import retry_after_seconds
from shared.api_client.errors import CallError
from shared.request import deadline

BACKOFF_SECONDS: Final = 0.1
MAX_BACKOFF_SECONDS: Final = 2.0


def wait_before_retry(error: Exception) -> bool | float:
    """Return the seconds to wait before the next attempt, or False for no further attempt.

    The form is that of stamina's `on` hook. Waits are exponential with full jitter.
    """
    if not isinstance(error, CallError) or not error.retryable:
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
