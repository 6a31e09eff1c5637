"""Warm requests: the CPU time of each, what tracing adds, and the peak memory."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks import calls
from benchmarks.figure import OURS, Candidate, Figure, Packing
from benchmarks.runtime import Environment
from benchmarks.series import Series, interleave
from benchmarks.surroundings import Surroundings

_CALLS: Final = {"health check": calls.health, "validated POST": calls.valuation}
_WARM_UP: Final = 100
_REQUESTS: Final = 200
_QUESTIONS: Final = 20
_MEBIBYTE: Final = 1024 * 1024
_MEMORY: Final = "memory"


class _Variant(NamedTuple):
    """A candidate with tracing on or off."""

    name: str
    traces: bool = True


_PLAIN: Final = _Variant("FastAPI, Mangum", traces=False)
_INSTRUMENTED: Final = _Variant("FastAPI, Mangum, FastAPIInstrumentor")
_VARIANTS: Final = (
    _Variant(OURS),
    _Variant("Powertools"),
    _PLAIN,
    _INSTRUMENTED,
    _Variant(OURS, traces=False),
    _Variant("Powertools", traces=False),
)


class NotTraced(Exception):
    """A candidate whose tracing is measured sent no span."""


def measure(
    folders: Mapping[Candidate, Path], runtime_client: Path, surroundings: Surroundings, rounds: int
) -> Iterator[Figure]:
    """Yield the CPU time of warm requests, what tracing adds to it, and the peak memory.

    Only packages with bytecode are started: bytecode makes no difference once a function is warm.

    Raises:
        NotTraced: A candidate sent no span, so its figures would be too good.
    """

    def start(variant: _Variant) -> dict[str, float]:
        spans_before = surroundings.exports
        with Environment(
            folders[_compiled(variant.name)],
            surroundings.variables(tracing=variant.traces),
            runtime_client=runtime_client,
        ) as function:
            for call in _CALLS.values():
                _invoke(function, call, _WARM_UP)
            taken: dict[str, float] = {}
            for label, call in _CALLS.items():
                cpu, wall = _invoke(function, call, _REQUESTS)
                taken |= {label: cpu, _wall(label): wall}
            _invoke(function, calls.question, _QUESTIONS)
            taken[_MEMORY] = function.peak_memory_bytes() / _MEBIBYTE
        if variant.traces and surroundings.exports == spans_before:
            raise NotTraced(variant.name)
        return taken

    taken = interleave({variant: partial(start, variant) for variant in _VARIANTS}, rounds)
    compared = {variant.name: variant for variant in _VARIANTS[:4]}
    for label in _CALLS:
        cpu = taken[label]
        yield Figure(
            f"CPU of a warm {label} with logs and traces",
            "µs",
            {_compiled(name): cpu[variant] for name, variant in compared.items()},
            {_compiled("Powertools"): 1.2} if label == "health check" else {},
            wall={
                _compiled(name): taken[_wall(label)][variant] for name, variant in compared.items()
            },
        )
        yield Figure(
            f"CPU that tracing adds to a warm {label}",
            "µs",
            {
                _compiled(OURS): _cost_of_tracing(cpu, OURS),
                _compiled("aws-xray-sdk"): _cost_of_tracing(cpu, "Powertools"),
                _compiled("FastAPIInstrumentor"): cpu[_INSTRUMENTED] - cpu[_PLAIN],
            },
            {_compiled("FastAPIInstrumentor"): 0.4},
        )
    yield Figure(
        "Peak memory of a warm function",
        "MiB",
        {_compiled(name): taken[_MEMORY][variant] for name, variant in compared.items()},
        limits={_compiled(OURS): 100},
    )


def _invoke(
    function: Environment, call: Callable[[], dict[str, Any]], requests: int
) -> tuple[float, float]:
    """Return CPU and wall time of a request in microseconds."""
    cpu, wall = function.cpu_seconds(), time.perf_counter()
    for _ in range(requests):
        function.invoke(call())
    cpu, wall = function.cpu_seconds() - cpu, time.perf_counter() - wall
    return cpu / requests * 1e6, wall / requests * 1e6


def _wall(label: str) -> str:
    return f"{label}, wall"


def _cost_of_tracing(cpu: Mapping[_Variant, Series], name: str) -> Series:
    return cpu[_Variant(name)] - cpu[_Variant(name, traces=False)]


def _compiled(name: str) -> Candidate:
    return Candidate(name, Packing.COMPILED)
