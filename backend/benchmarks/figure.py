"""One measured quantity of all candidates, with the targets for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from benchmarks.series import Series

OURS: Final = "ours"


class Packing(StrEnum):
    """How a candidate's code was made into a zip."""

    COMPILED = "our packer"
    PLAIN = "`sam build`"


class Candidate(NamedTuple):
    """Code that is measured, and how it is packed."""

    name: str
    packing: Packing


@dataclass(frozen=True)
class Figure:
    """One quantity, measured for all candidates in one run.

    Attributes:
        title: What was measured.
        unit: The unit of all values.
        series: The values of each candidate. Our code is the candidate `ours` with our packer.
        targets: For each peer, the largest ratio of our median to the peer's that is on target.
        limits: For each candidate, the largest median on target, for a quantity without ratios.
        wall: The wall-clock time of the same calls, if the quantity is CPU time.
    """

    title: str
    unit: str
    series: Mapping[Candidate, Series]
    targets: Mapping[Candidate, float] = field(default_factory=dict)
    limits: Mapping[Candidate, float] = field(default_factory=dict)
    wall: Mapping[Candidate, Series] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The candidates' names, each once, in order."""
        return list(dict.fromkeys(candidate.name for candidate in self.series))

    def ratio(self, peer: Candidate) -> Series | None:
        """Return our values divided by the peer's; None for ourselves or if ours are missing."""
        ours = self.series.get(Candidate(OURS, Packing.COMPILED))
        return ours / self.series[peer] if ours and peer.name != OURS else None

    def packer_ratio(self, name: str) -> Series | None:
        """Return the values with our packer divided by those with `sam build`, if both exist."""
        compiled = self.series.get(Candidate(name, Packing.COMPILED))
        plain = self.series.get(Candidate(name, Packing.PLAIN))
        return compiled / plain if compiled and plain else None

    def misses(self) -> Iterator[str]:
        """Yield a line for each target that was not met."""
        for peer, target in self.targets.items():
            if (ratio := self.ratio(peer)) is not None and ratio.median > target:
                yield (
                    f"{self.title}: ours / {peer.name} ({peer.packing}) = {ratio.median:.2f}, "
                    f"target {target:.2f}"
                )
        for candidate, limit in self.limits.items():
            if (median := self.series[candidate].median) > limit:
                yield (
                    f"{self.title}: {candidate.name} = {median:.1f} {self.unit}, "
                    f"target {limit:.1f} {self.unit}"
                )
