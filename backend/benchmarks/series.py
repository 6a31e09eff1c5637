"""Repeated measurements of several candidates in turn: medians, intervals, ratios."""

import math
import operator
import random
import statistics
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Final, Self

_CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Series:
    """The values of one candidate, one for each round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value that the results show."""
        return statistics.median(self.values)

    @property
    def interval(self) -> tuple[float, float]:
        """The interval between two order statistics that covers the median with 95 % confidence.

        It assumes nothing about the distribution. Below six values it is the whole range.
        """
        ordered, rank = sorted(self.values), _rank(len(self.values))
        return ordered[rank], ordered[-1 - rank]

    def __sub__(self, other: Self) -> "Series":
        return self._by_round(operator.sub, other)

    def __truediv__(self, other: Self) -> "Series":
        return self._by_round(operator.truediv, other)

    def _by_round(self, combine: Callable[[float, float], float], other: Self) -> "Series":
        # What slows the machine down slows both values of a round, so it cancels out.
        pairs = zip(self.values, other.values, strict=True)
        return Series(tuple(combine(mine, theirs) for mine, theirs in pairs))


def _rank(count: int) -> int:
    """Return how many values at either end lie outside the interval."""
    tail, rank = 0.0, 0
    while True:
        # The chance that at most `rank` of the values lie below the median.
        tail += math.comb(count, rank) / 2**count
        if tail > (1 - _CONFIDENCE) / 2:
            return rank - 1 if rank else 0
        rank += 1


def interleave[Candidate: Hashable](
    candidates: Mapping[Candidate, Callable[[], Mapping[str, float]]], rounds: int
) -> dict[str, dict[Candidate, Series]]:
    """Measure every candidate once a round, each round in a new random order.

    In a fixed order, equal candidates would differ: each would find in the processor's caches what
    the one before it left there. The first round fills the page cache and is not counted.

    Args:
        candidates: The function that measures each candidate and returns a value by quantity.
        rounds: The number of counted rounds.

    Returns:
        By quantity, the values of each candidate.
    """
    measured: list[dict[Candidate, Mapping[str, float]]] = []
    for _ in range(rounds + 1):
        order = random.sample(list(candidates), len(candidates))
        measured.append({candidate: candidates[candidate]() for candidate in order})
    first, *counted = measured
    quantities = {name for values in first.values() for name in values}
    return {
        quantity: {
            candidate: Series(tuple(values[candidate][quantity] for values in counted))
            for candidate in candidates
            if quantity in first[candidate]
        }
        for quantity in sorted(quantities)
    }
