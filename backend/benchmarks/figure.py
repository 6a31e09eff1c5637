"""One quantity of several packages side by side, and the targets for it."""

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
    """Code, and how it is packed."""

    name: str
    packing: Packing


@dataclass(frozen=True)
class Figure:
    """One quantity of all candidates, taken in turn in one run.

    Attributes:
        title: What was measured.
        unit: Of all values.
        series: By candidate. Ours is the one named `ours`, packed by our packer.
        targets: The largest ratio of ours to a candidate that this project allows itself.
        limits: The largest value of a candidate, where the target is not a ratio.
        wall: The same by the clock, where the quantity is CPU time.
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
        """Return ours to a peer, round by round; None where ours is not among the candidates."""
        ours = self.series.get(Candidate(OURS, Packing.COMPILED))
        return ours / self.series[peer] if ours and peer.name != OURS else None

    def packer_ratio(self, name: str) -> Series | None:
        """Return a candidate packed by our packer to the same one packed by `sam build`."""
        ours = self.series.get(Candidate(name, Packing.COMPILED))
        theirs = self.series.get(Candidate(name, Packing.PLAIN))
        return ours / theirs if ours and theirs else None

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
