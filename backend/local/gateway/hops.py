"""A record of the latest requests through the gateway."""

from collections import deque
from dataclasses import asdict, dataclass

_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Hop:
    """One request through the gateway. `caller` is the name of its API key, empty without one;
    `started_at` is in epoch seconds.
    """

    request_id: str
    trace_id: str
    caller: str
    service: str
    method: str
    path: str
    status: int
    started_at: float
    duration_ms: float
    target_request_id: str = ""
    """The Lambda invocation's id, if a function answered."""

    def as_dict(self) -> dict[str, str | int | float]:
        return asdict(self)


class Hops:
    """The latest requests, oldest first."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._ring: deque[Hop] = deque(maxlen=kept)

    def add(self, hop: Hop) -> None:
        self._ring.append(hop)

    def latest(self, count: int = 100) -> list[Hop]:
        return list(self._ring)[-count:]

    def of_trace(self, trace_id: str) -> list[Hop]:
        """The hops of one trace, by start time: a caller before the requests that it makes."""
        return sorted(
            (hop for hop in self._ring if hop.trace_id == trace_id), key=lambda hop: hop.started_at
        )
