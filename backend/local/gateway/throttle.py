"""The token bucket with which API Gateway limits requests."""

from collections.abc import Callable


class TokenBucket:
    """Starts with `burst` tokens and gains `rate_per_second`. `monotonic` returns seconds."""

    def __init__(
        self, rate_per_second: float, burst: int | None, monotonic: Callable[[], float]
    ) -> None:
        self._rate_per_second = rate_per_second
        self._burst = float(burst if burst is not None else rate_per_second)
        self._monotonic = monotonic
        self._tokens = self._burst
        self._filled_at = monotonic()

    def take(self) -> bool:
        """Take one token. False when the bucket is empty."""
        now = self._monotonic()
        gained = (now - self._filled_at) * self._rate_per_second
        self._tokens = min(self._burst, self._tokens + gained)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
