"""The outcome of a load: its figures as JSON and as tables, and what is wrong with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks import report
from benchmarks.soak.processes import LAUNCHER, Change
from benchmarks.soak.tally import Tally

MOST_GROWTH: Final = 0.02
"""The share by which a process's memory may grow after the warm-up."""

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a load showed.

    Attributes:
        users: How many callers sent one request after another.
        seconds: The measured time, after the warm-up.
        tally: The requests in this time.
        processes: The change of each process that lived throughout.
        services: The services that must have such a process.
        judges_growth: Whether the run is long enough to judge memory and descriptors.
        has_grown: Whether there were more processes at the end: the launcher has descriptors for
            each, so its own cannot be judged.
    """

    users: int
    seconds: float
    tally: Tally
    processes: Sequence[Change]
    services: Sequence[str]
    judges_growth: bool
    has_grown: bool = False

    @property
    def served(self) -> int:
        """Requests that were served."""
        return sum(self.tally.served().values())

    def misses(self) -> Iterator[str]:
        """Yield a line for each error that is not shedding, and for each growth."""
        for kind, count in self.tally.errors.most_common():
            yield f"{kind}: {count} times"
        if not self.served:
            yield "no request was served"
        if self.judges_growth:
            yield from self._growth()

    def _growth(self) -> Iterator[str]:
        for name in sorted({*self.services, LAUNCHER} - {one.name for one in self.processes}):
            yield f"{name}: no process lived throughout"
        for one in self.processes:
            # The embedded AWS keeps everything that it is given, so this process must grow.
            if one.name != LAUNCHER and one.memory_growth > MOST_GROWTH:
                yield (
                    f"{one.name} ({one.pid}): memory grew by {one.memory_growth:.1%}, "
                    f"at most {MOST_GROWTH:.0%} is expected"
                )
            if one.new_descriptors and not (one.name == LAUNCHER and self.has_grown):
                yield f"{one.name} ({one.pid}): {one.new_descriptors} more descriptors"

    def as_json(self) -> dict[str, Any]:
        """Return all figures."""
        served = self.tally.served()
        return {
            "users": self.users,
            "seconds": round(self.seconds, 1),
            "served": self.served,
            "requests_per_second": round(self.served / self.seconds, 1),
            "operations": {
                name: {"served": served[name]}
                | {rank: round(value, 4) for rank, value in percentiles.items()}
                for name, percentiles in self.tally.percentiles().items()
            },
            "shed": dict(self.tally.shed),
            "errors": dict(self.tally.errors),
            "processes": [
                {
                    "name": one.name,
                    "memory_mib": [
                        _mebibytes(one.begin.memory_bytes),
                        _mebibytes(one.end.memory_bytes),
                    ],
                    "memory_growth": round(one.memory_growth, 4),
                    "descriptors": [one.begin.descriptors, one.end.descriptors],
                    "threads": [one.begin.threads, one.end.threads],
                }
                for one in self.processes
            ],
        }

    def markdown(self) -> str:
        """Return a line about the run, and the tables."""
        run = (
            f"{self.seconds / 60:.1f} minutes after the warm-up, {self.users} users: "
            f"{self.served:,} requests served, {self.served / self.seconds:.1f} a second, "
            f"{self.tally.shed.total()} shed, {self.tally.errors.total()} errors"
        )
        return "\n".join([report.about(run), "", *self._tables()])

    def _tables(self) -> Iterator[str]:
        served = self.tally.served()
        yield report.as_table(
            ["Request", "served", "p50, ms", "p95, ms", "p99, ms"],
            [
                [f"`{name}`", str(served[name]), *(f"{each * 1000:.0f}" for each in of.values())]
                for name, of in self.tally.percentiles().items()
            ],
        )
        failed = [("shed", self.tally.shed), ("error", self.tally.errors)]
        if rows := [
            [f"`{kind}`", what, str(count)]
            for what, kinds in failed
            for kind, count in kinds.most_common()
        ]:
            yield report.as_table(["Not served", "", "count"], rows)
        yield report.as_table(
            ["Process", "memory, MiB", "growth", "descriptors", "threads"],
            [
                [
                    one.name,
                    f"{_mebibytes(one.begin.memory_bytes)} → {_mebibytes(one.end.memory_bytes)}",
                    f"{one.memory_growth:+.1%}",
                    f"{one.begin.descriptors} → {one.end.descriptors}",
                    f"{one.begin.threads} → {one.end.threads}",
                ]
                for one in self.processes
            ],
        )


def _mebibytes(count: int) -> float:
    return round(count / _MEBIBYTE, 1)
