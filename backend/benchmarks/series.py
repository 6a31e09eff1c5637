"""Repeated measurements, interleaved, and what they say: medians, spread and ratios."""

import random
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Series:
    """The values of one candidate, in the order in which they were taken."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value to quote."""
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The first and the third quartile."""
        if len(self.values) < 2:
            return self.values[0], self.values[0]
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return low, high


@dataclass(frozen=True)
class Comparison:
    """One figure of several candidates, taken in turn in one run.

    Attributes:
        title: What was measured.
        unit: Of all values.
        ours: The candidate that the ratios are of.
        series: By candidate.
        targets: The largest ratio of ours to a candidate that this project allows itself.
        limit: The largest value of ours, where the target is not a ratio.
    """

    title: str
    unit: str
    ours: str
    series: Mapping[str, Series]
    targets: Mapping[str, float] = field(default_factory=dict)
    limit: float | None = None

    def ratio(self, candidate: str) -> float:
        """Return the median of the ratios round by round: the machine's drift cancels out."""
        mine, theirs = self.series[self.ours].values, self.series[candidate].values
        return statistics.median(a / b for a, b in zip(mine, theirs, strict=True))

    def misses(self) -> Iterator[str]:
        """Yield a line for each target that was not met."""
        for candidate, target in self.targets.items():
            if (ratio := self.ratio(candidate)) > target:
                yield f"{self.title}: {self.ours} / {candidate} = {ratio:.2f}, target {target:.2f}"
        if self.limit is not None and self.series[self.ours].median > self.limit:
            median = self.series[self.ours].median
            yield f"{self.title}: {median:.1f} {self.unit}, target {self.limit:.1f}"


def interleave(candidates: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Series]:
    """Take each candidate's value once a round, after one round that is not counted."""

    def in_turn() -> dict[str, float]:
        values = {name: candidates[name]() for name in shuffled(candidates)}
        return {name: values[name] for name in candidates}

    return together(in_turn, rounds)


def shuffled(names: Iterable[str]) -> list[str]:
    """Return names in an order of chance.

    What runs before a candidate decides what it finds in the processor's caches: always in the same
    order, equal candidates differ.
    """
    listed = list(names)
    return random.sample(listed, len(listed))


def together(measure: Callable[[], Mapping[str, float]], rounds: int) -> dict[str, Series]:
    """Take the values of candidates that are measured side by side, as `interleave` does."""
    measure()
    taken = [measure() for _ in range(rounds)]
    return {name: Series(tuple(values[name] for values in taken)) for name in taken[0]}
