"""API Gateway's token bucket: so many requests a second, and so many at once."""

from collections.abc import Callable


class TokenBucket:
    """Starts full with `burst` tokens and earns `rate_per_second`; `monotonic` in seconds."""

    def __init__(
        self, rate_per_second: float, burst: int | None, monotonic: Callable[[], float]
    ) -> None:
        self._rate_per_second = rate_per_second
        self._burst = float(burst if burst is not None else rate_per_second)
        self._monotonic = monotonic
        self._tokens = self._burst
        self._filled_at = monotonic()

    def take(self) -> bool:
        """Take one token; False when there is none."""
        now = self._monotonic()
        earned = (now - self._filled_at) * self._rate_per_second
        self._tokens = min(self._burst, self._tokens + earned)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
