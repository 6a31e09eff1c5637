"""Cold starts: from the spawn of a function's process to the end of its first invocation."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks import calls
from benchmarks.figure import Candidate, Figure, Packing
from benchmarks.runtime import Environment
from benchmarks.series import interleave
from benchmarks.surroundings import Surroundings

# By label: the request, and the largest ratio to Powertools that is on target, by packing.
_CALLS: Final = {
    "a health check": (
        calls.health,
        {Packing.COMPILED: 1.05, Packing.PLAIN: 0.45},
    ),
    "the first call of another service": (
        calls.question,
        {Packing.COMPILED: 1.25, Packing.PLAIN: 0.60},
    ),
}


def measure(
    folders: Mapping[Candidate, Path], runtime_client: Path, surroundings: Surroundings, rounds: int
) -> Iterator[Figure]:
    """Yield the CPU time of a cold start to a health check and to a call of another service."""

    def start(folder: Path, call: Callable[[], dict[str, Any]]) -> dict[str, float]:
        with Environment(
            folder, surroundings.variables(), runtime_client=runtime_client
        ) as function:
            function.invoke(call())
            return {"cpu": function.cpu_seconds() * 1e3, "wall": function.answer_seconds * 1e3}

    for label, (call, targets) in _CALLS.items():
        measured = interleave(
            {candidate: partial(start, folder, call) for candidate, folder in folders.items()},
            rounds,
        )
        yield Figure(
            f"CPU of a cold start to {label}",
            "ms",
            measured["cpu"],
            {Candidate("Powertools", packing): target for packing, target in targets.items()},
            wall=measured["wall"],
        )
