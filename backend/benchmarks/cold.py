"""Cold starts: from the spawn of a function's process to its first answer."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.packages import Package
from benchmarks.runtime import Environment, interpreter
from benchmarks.series import Comparison, interleave
from benchmarks.surroundings import Surroundings
from shared.testing import api_gateway_event

SHARES = {"a whole CPU": 1.0, "0.3 CPU": 0.3}


def measure(
    packages: Mapping[str, Package], runtime_client: Path, around: Surroundings, rounds: int
) -> Iterator[Comparison]:
    """Yield the cold starts to a health check and to a call of another service."""
    # Made anew for each start: an event carries the time from which its deadline counts.
    health = partial(api_gateway_event, "GET", "/api/health")
    question = {"question": "How much should I save?"}
    ask = partial(api_gateway_event, "POST", "/api/ask", json=question)
    calls: tuple[tuple[str, Callable[[], dict[str, Any]], dict[str, float]], ...] = (
        ("health check", health, {"api-stock": 0.45, "powertools": 0.50}),
        ("call of another service", ask, {"powertools": 0.60}),
    )

    def taking(name: str, event: Callable[[], dict[str, Any]], share: float) -> Callable[[], float]:
        def start() -> float:
            with Environment(
                packages[name].folder,
                around.variables(),
                python=interpreter(),
                runtime_client=runtime_client,
                cpu_share=share,
            ) as function:
                function.invoke(event())
                return (time.perf_counter() - function.spawned) * 1000

        return start

    for call, event, targets in calls:
        for label, share in SHARES.items():
            names = ("api", "api-stock", "powertools", "plain")
            yield Comparison(
                f"Cold start to the first {call}, {label}",
                "ms",
                "api",
                interleave({name: taking(name, event, share) for name in names}, rounds),
                # The targets hold at full speed; at a share the machine's timer adds noise.
                targets,
            )
