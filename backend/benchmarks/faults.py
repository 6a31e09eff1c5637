"""Asks one question under each fault of the local estate, and counts the calls of the model.

`./pants run backend/benchmarks:faults` writes docs/benchmarks/faults.json and the table in
docs/faults.md. It takes ten minutes, most of which it waits for dependencies that hang.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import httpx
from rich.console import Console

from benchmarks import report
from benchmarks.soak.estate import Estate, running_estate
from local.demo.documents import QUESTION, batches, documents
from local.faults import TARGETS, single_faults

_KEYS = "secretsmanager"
_NOT_ASKED = frozenset(["runner"])  # no question reaches it
_TIMEOUT_SECONDS = 90.0
_RECOVERY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one question cost under a fault. `status` is 0 where the connection broke off."""

    fault: str
    status: int
    model_calls: int
    target_calls: int
    seconds: float


class NotRecovered(Exception):
    """The estate does not answer after a fault has ended."""


def main() -> int:
    """Measure, print and write the table; return 0."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    root, console = report.repository(), Console(highlight=False, soft_wrap=True)
    costs = []
    # Keys are read once: a service that has its key asks Secrets Manager no more.
    with running_estate("--tracing", "off", "--fault", f"{_KEYS}:error=503") as estate:
        for cost in measure(Questions(estate)):
            console.print(str(cost), markup=False)
            costs.append(cost)
    earlier = json.loads((root / "docs/benchmarks/faults-before.json").read_text())["faults"]
    text = f"{report.about(f'{len(costs)} faults')}\n\n{table(costs, earlier)}"
    report.write_values(
        root / "docs/benchmarks/faults.json", {"faults": [asdict(one) for one in costs]}
    )
    report.write_page(root / "docs/faults.md", "faults", text)
    return 0


class Questions:
    """Orders faults in a running estate, and asks one question."""

    def __init__(self, estate: Estate) -> None:
        self._url = estate.variables["API_GATEWAY_URL"]
        self._faults_url = f"{estate.variables['CONSOLE_URL']}faults"
        self._ask = {"x-api-key": estate.variables["API_KEY"]}
        self._ingest = {"x-api-key": estate.variables["INGEST_API_KEY"]}
        self._client = httpx.Client(timeout=_TIMEOUT_SECONDS)

    def ask(self) -> httpx.Response:
        """Ask the question of the demonstration."""
        question = {"question": QUESTION}
        return self._client.post(f"{self._url}/api/ask", json=question, headers=self._ask)

    def cost_under(self, fault: str) -> Cost:
        """Ask until a request meets the fault: a circuit breaker may still be open."""
        target = fault.partition(":")[0]
        ends = time.monotonic() + _RECOVERY_SECONDS
        while time.monotonic() < ends:
            self.order(fault)
            began = time.monotonic()
            try:
                status = self.ask().status_code
            except httpx.TransportError:
                status = 0
            seconds = time.monotonic() - began
            calls = self._client.get(self._faults_url).json()["requests"]
            if target in calls:
                return Cost(
                    fault, status, calls.get("bedrock", 0), calls[target], round(seconds, 1)
                )
        raise NotRecovered(f"no question reaches {target}")

    def order(self, fault: str | None) -> None:
        """Cancel all faults, then order one, if any."""
        self._client.delete(self._faults_url, headers=self._ask).raise_for_status()
        if fault is not None:
            order = {"fault": fault}
            self._client.post(self._faults_url, json=order, headers=self._ask).raise_for_status()

    def store(self) -> None:
        """Store the documents of the demonstration."""
        for batch in batches(documents()):
            self._until_200(
                partial(
                    self._client.post,
                    f"{self._url}/api/documents",
                    json={"documents": batch},
                    headers=self._ingest,
                )
            )

    def recover(self) -> None:
        """Cancel all faults and wait until the question is answered."""
        self.order(None)
        self._until_200(self.ask)

    def _until_200(self, call: Callable[[], httpx.Response]) -> None:
        ends = time.monotonic() + _RECOVERY_SECONDS
        while time.monotonic() < ends:
            if call().status_code == 200:
                return
            time.sleep(0.2)
        raise NotRecovered("the estate does not answer without a fault")


def measure(questions: Questions) -> Iterator[Cost]:
    """Yield the cost of a question under each fault that it can meet."""
    # A read that is only late succeeds, and its key is kept: so it comes last.
    for fault in sorted(single_faults(_KEYS), key=lambda one: "latency" in one):
        yield questions.cost_under(fault)
    questions.recover()
    questions.store()
    targets = [one for one in TARGETS if one != _KEYS and one not in _NOT_ASKED]
    for fault in single_faults(*targets):
        questions.recover()
        yield questions.cost_under(fault)
    questions.recover()


def table(costs: Sequence[Cost], earlier: Sequence[dict[str, Any]]) -> str:
    """Return the table: each fault, now and before."""
    before = {one["fault"]: one for one in earlier}
    return report.as_table(
        [
            *("Fault", "Before: model calls", "time", "answer"),
            *("Now: model calls", "calls of the target", "time", "answer"),
        ],
        [
            [
                f"`{one.fault}`",
                *_earlier(before.get(one.fault)),
                str(one.model_calls),
                str(one.target_calls),
                f"{one.seconds:.1f} s",
                str(one.status or "broken off"),
            ]
            for one in costs
        ],
    )


def _earlier(one: dict[str, Any] | None) -> list[str]:
    if one is None:
        return ["", "", ""]
    return [str(one["model_calls"]), f"{one['seconds']:.1f} s", str(one["status"])]


if __name__ == "__main__":
    sys.exit(main())
