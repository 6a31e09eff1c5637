"""A circuit breaker: stops calls to a target that fails, and probes whether it works again."""

import threading
import time
from collections.abc import Callable
from typing import Final

FAILURES: Final = 5
"""So many failures in a row open the breaker."""

OPEN_SECONDS: Final = 5.0
"""How long an open breaker refuses calls before it lets one through as a probe."""


class CircuitBreaker:
    """Counts the failures of one target. Thread-safe.

    While it is open, `wait_seconds` refuses calls. After `OPEN_SECONDS` the breaker is half-open:
    it lets one call through as a probe, whose success closes it. If a probe fails or never ends,
    the next one follows after the same time.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._next_probe = 0.0
        self._lock = threading.Lock()

    def wait_seconds(self) -> float:
        """Return 0 if the target may be called now, otherwise the time until the next probe."""
        with self._lock:
            if self._failures < FAILURES:
                return 0.0
            now = self._clock()
            if now < self._next_probe:
                return self._next_probe - now
            self._next_probe = now + OPEN_SECONDS
            return 0.0

    def record(self, *, failed: bool) -> None:
        """Count the outcome of a call."""
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= FAILURES:
                self._next_probe = self._clock() + OPEN_SECONDS
