"""Warm requests: CPU of each, peak memory, and what tracing and logging add."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.packages import Package
from benchmarks.runtime import Environment, interpreter
from benchmarks.series import Comparison, Series, interleave
from benchmarks.surroundings import Surroundings
from shared.testing import api_gateway_event

REQUESTS = 300
_WARM_UP = 30
_PORTFOLIO = {
    "owner": "Ada",
    "holdings": [
        {"symbol": "VTI", "shares": 10, "price": 250.5},
        {"symbol": "BND", "shares": 20.5, "price": 72.1},
        {"symbol": "VXUS", "shares": 15, "price": 60},
    ],
}
MEBIBYTE = 1024 * 1024


def measure(
    packages: Mapping[str, Package], runtime_client: Path, around: Surroundings, rounds: int
) -> Iterator[Comparison]:
    """Yield CPU a request beside the peers, and the peak memory of a warm function."""
    requests = {
        "GET health": partial(api_gateway_event, "GET", "/api/health"),
        "validated POST": partial(api_gateway_event, "POST", "/api/valuations", json=_PORTFOLIO),
    }
    for label, event in requests.items():

        def cpu(
            name: str,
            event: Callable[[], dict[str, Any]] = event,
            **choices: bool,
        ) -> float:
            with Environment(
                packages[name].folder,
                around.variables(**choices),
                python=interpreter(),
                runtime_client=runtime_client,
            ) as function:
                for _ in range(_WARM_UP):
                    function.invoke(event())
                before = function.cpu_seconds()
                for _ in range(REQUESTS):
                    function.invoke(event())
                return (function.cpu_seconds() - before) / REQUESTS * 1e6

        taken = interleave(
            {
                "ours": partial(cpu, "subject"),
                "powertools": partial(cpu, "powertools"),
                "plain": partial(cpu, "plain"),
                "instrumented": partial(cpu, "instrumented"),
                "ours, to the daemon": partial(cpu, "subject", daemon=True),
                "ours, tracing off": partial(cpu, "subject", tracing=False),
                "ours, logging off": partial(cpu, "subject", logging=False),
                "powertools, tracing off": partial(cpu, "powertools", tracing=False),
                "powertools, logging off": partial(cpu, "powertools", logging=False),
            },
            rounds,
        )
        yield Comparison(
            f"CPU of a warm {label}, logging and tracing on",
            "µs",
            "ours",
            {name: taken[name] for name in ("ours", "powertools", "plain")},
            {"powertools": 0.80},
        )
        yield Comparison(
            f"CPU that tracing adds to a warm {label}",
            "µs",
            "ours",
            {
                "ours": _difference(taken["ours"], taken["ours, tracing off"]),
                "ours, to the daemon": _difference(
                    taken["ours, to the daemon"], taken["ours, tracing off"]
                ),
                "aws-xray-sdk": _difference(taken["powertools"], taken["powertools, tracing off"]),
                "FastAPIInstrumentor": _difference(taken["instrumented"], taken["plain"]),
            },
            {"aws-xray-sdk": 0.60, "FastAPIInstrumentor": 0.60},
        )
        yield Comparison(
            f"CPU that logging adds to a warm {label}",
            "µs",
            "ours",
            {
                "ours": _difference(taken["ours"], taken["ours, logging off"]),
                "powertools": _difference(taken["powertools"], taken["powertools, logging off"]),
            },
        )
    yield _memory(packages, runtime_client, around)


def _difference(more: Series, less: Series) -> Series:
    return Series(tuple(a - b for a, b in zip(more.values, less.values, strict=True)))


def _memory(
    packages: Mapping[str, Package], runtime_client: Path, around: Surroundings
) -> Comparison:
    question = {"question": "How much should I save?"}
    event = partial(api_gateway_event, "POST", "/api/ask", json=question)

    def peak(name: str) -> float:
        with Environment(
            packages[name].folder,
            around.variables(),
            python=interpreter(),
            runtime_client=runtime_client,
        ) as function:
            for _ in range(REQUESTS):
                function.invoke(event())
            return function.peak_memory_bytes() / MEBIBYTE

    return Comparison(
        f"Peak memory after {REQUESTS} calls of another service",
        "MiB",
        "api",
        interleave({name: partial(peak, name) for name in ("api", "powertools", "plain")}, 3),
        limit=100,
    )
