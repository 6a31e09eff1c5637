"""Counts the requests of a load: how long they took, and which ones failed."""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

_QUANTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request got. `status` is 0 where no answer came; `failure` then says why."""

    status: int
    headers: Mapping[str, str]
    body: str = ""
    failure: str = ""

    @property
    def is_shed(self) -> bool:
        """Whether a service refused the request on purpose, and said when to come back."""
        return self.status in {429, 503} and "retry-after" in {
            name.lower() for name in self.headers
        }

    @property
    def kind(self) -> str:
        """The status with the code of the error, or why there was no answer."""
        if self.status == 0:
            return f"no answer: {self.failure or 'unknown'}"
        try:
            body = json.loads(self.body)
        except ValueError:
            body = None
        code = (body.get("error") or body.get("message")) if isinstance(body, dict) else None
        return f"{self.status} {code or 'without a code'}"


class Tally:
    """The requests of a load."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self.shed: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    @property
    def requests(self) -> int:
        """All requests, whatever they got."""
        return sum(map(len, self._seconds.values())) + self.shed.total() + self.errors.total()

    def record(self, operation: str, answer: Answer, seconds: float) -> None:
        """Count a request. Only requests that were served have a time."""
        if 200 <= answer.status < 300:
            self._seconds[operation].append(seconds)
        elif answer.is_shed:
            self.shed[f"{operation}: {answer.kind}"] += 1
        else:
            self.errors[f"{operation}: {answer.kind}"] += 1

    def begin(self) -> None:
        """Forget the requests of the warm-up, except its errors."""
        self._seconds.clear()
        self.shed.clear()

    def served(self) -> dict[str, int]:
        """How many requests of each operation were served."""
        return {name: len(seconds) for name, seconds in sorted(self._seconds.items())}

    def percentiles(self) -> dict[str, dict[str, float]]:
        """For each operation, `p50`, `p95` and `p99` of the seconds that a served request took."""
        return {name: _percentiles(seconds) for name, seconds in sorted(self._seconds.items())}


def _percentiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {f"p{rank}": cuts[rank - 1] for rank in _QUANTILES}
