"""Warm requests: CPU of each, peak memory, and what tracing and logging add."""

import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.packages import Package
from benchmarks.runtime import Environment, interpreter
from benchmarks.series import Comparison, Series, interleave, shuffled, together
from benchmarks.surroundings import Surroundings
from shared.testing import api_gateway_event

CALLS = 300
_WARM_UP = 100
_TURNS = 6
_REQUESTS_A_TURN = 50
# What a regional API hands on of a browser's request.
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate, br",
    "Content-Type": "application/json",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
    "x-api-key": "k" * 40,
}
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
        "GET health": partial(api_gateway_event, "GET", "/api/health", headers=_HEADERS),
        "validated POST": partial(
            api_gateway_event, "POST", "/api/valuations", json=_PORTFOLIO, headers=_HEADERS
        ),
    }
    candidates: dict[str, tuple[str, dict[str, bool]]] = {
        "ours": ("subject", {}),
        "powertools": ("powertools", {}),
        "plain": ("plain", {}),
        "instrumented": ("instrumented", {}),
        "ours, to the daemon": ("subject", {"daemon": True}),
        "ours, tracing off": ("subject", {"tracing": False}),
        "ours, logging off": ("subject", {"logging": False}),
        "powertools, tracing off": ("powertools", {"tracing": False}),
        "powertools, logging off": ("powertools", {"logging": False}),
    }

    def start(name: str, choices: dict[str, bool]) -> Environment:
        return Environment(
            packages[name].folder,
            around.variables(**choices),
            python=interpreter(),
            runtime_client=runtime_client,
        )

    for label, event in requests.items():

        def side_by_side(event: Callable[[], dict[str, Any]] = event) -> dict[str, float]:
            # One process is a few per cent slower than the next by where its memory lies, and the
            # machine by the second: so new processes each round, and short turns within it.
            with ExitStack() as stack:
                functions = {
                    name: stack.enter_context(start(*candidates[name]))
                    for name in shuffled(candidates)
                }
                for function in functions.values():
                    _cpu(function, event, _WARM_UP)
                turns = [
                    {
                        name: _cpu(functions[name], event, _REQUESTS_A_TURN)
                        for name in shuffled(functions)
                    }
                    for _ in range(_TURNS)
                ]
            return {name: statistics.median(turn[name] for turn in turns) for name in candidates}

        # What tracing or logging adds is a difference of two figures, as noisy as both.
        taken = together(side_by_side, 3 * rounds)
        yield Comparison(
            f"CPU of a warm {label}, logging and tracing on",
            "µs",
            "ours",
            {name: taken[name] for name in ("ours", "powertools", "plain")},
            {"powertools": 0.80},
        )
        traced = {
            "ours": _difference(taken["ours"], taken["ours, tracing off"]),
            "ours, to the daemon": _difference(
                taken["ours, to the daemon"], taken["ours, tracing off"]
            ),
            "aws-xray-sdk": _difference(taken["powertools"], taken["powertools, tracing off"]),
            "FastAPIInstrumentor": _difference(taken["instrumented"], taken["plain"]),
        }
        yield Comparison(
            f"CPU that tracing adds to a warm {label}",
            "µs",
            "ours",
            {name: traced[name] for name in ("ours", "aws-xray-sdk", "FastAPIInstrumentor")},
            {"aws-xray-sdk": 0.60, "FastAPIInstrumentor": 0.60},
        )
        yield Comparison(
            f"CPU that tracing adds to a warm {label}, both to X-Ray's daemon",
            "µs",
            "ours, to the daemon",
            {name: traced[name] for name in ("ours, to the daemon", "aws-xray-sdk")},
            {"aws-xray-sdk": 0.60},
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
    yield _memory(partial(start, choices={}))


def _cpu(function: Environment, event: Callable[[], dict[str, Any]], requests: int) -> float:
    """Return the CPU time of a request in microseconds."""
    before = function.cpu_seconds()
    for _ in range(requests):
        function.invoke(event())
    return (function.cpu_seconds() - before) / requests * 1e6


def _difference(more: Series, less: Series) -> Series:
    return Series(tuple(a - b for a, b in zip(more.values, less.values, strict=True)))


def _memory(start: Callable[[str], Environment]) -> Comparison:
    question = {"question": "How much should I save?"}
    event = partial(api_gateway_event, "POST", "/api/ask", json=question)

    def peak(name: str) -> float:
        with start(name) as function:
            for _ in range(CALLS):
                function.invoke(event())
            return function.peak_memory_bytes() / MEBIBYTE

    return Comparison(
        f"Peak memory after {CALLS} calls of another service",
        "MiB",
        "api",
        interleave({name: partial(peak, name) for name in ("api", "powertools", "plain")}, 3),
        limit=100,
    )
