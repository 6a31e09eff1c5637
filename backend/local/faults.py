"""Faults that a developer or a test orders: which part of the estate fails, how, and how often."""

import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from local.blueprint import SERVICES

AWS_TARGETS = (
    "bedrock",
    "bedrock/converse",
    "bedrock/invoke",
    "dynamodb",
    "s3",
    "secretsmanager",
)
TARGETS = (*AWS_TARGETS, "gateway", *SERVICES)

SYNTAX = "TARGET:KIND[=VALUE][,KIND=VALUE…]"
HANG_SECONDS = 60.0
_KINDS = "latency=SECONDS, error=STATUS, reset, truncate, hang[=SECONDS], rate=SHARE or times=COUNT"


@dataclass(frozen=True, slots=True)
class Fault:
    """How the requests to one target fail.

    Attributes:
        latency_seconds: The answer comes later by this time.
        error: The status of the answer; the target does not carry out the request.
        reset: The connection is reset before the request is carried out.
        truncate: The request is carried out, and its answer ends in the middle.
        hang_seconds: No answer for this time, then a reset.
        rate: The share of requests that fail.
        times: How many requests fail; None for no limit.
    """

    target: str
    latency_seconds: float = 0.0
    error: int | None = None
    reset: bool = False
    truncate: bool = False
    hang_seconds: float = 0.0
    rate: float = 1.0
    times: int | None = None
    text: str = ""

    @property
    def delay_seconds(self) -> float:
        """The time until the answer, or the end of the connection, comes."""
        return self.latency_seconds + self.hang_seconds

    @property
    def breaks_off(self) -> bool:
        """Whether the connection ends without an answer."""
        return self.reset or self.hang_seconds > 0


def parse_fault(text: str) -> Fault:
    """Return the fault that a text such as `s3:error=503,rate=0.5` orders.

    Raises:
        ValueError: The text orders no fault; the message says what is expected.
    """
    target, _, kinds = text.partition(":")
    if target not in TARGETS:
        raise ValueError(f"{target[:40]!r} is not one of {', '.join(TARGETS)}")
    fields: dict[str, Any] = {}
    for part in kinds.split(","):
        kind, _, value = part.partition("=")
        try:
            name, parsed = _PARSERS[kind](value)
        except (KeyError, ValueError):
            raise ValueError(f"{part[:40]!r} is not one of {_KINDS}") from None
        fields[name] = parsed
    if len(fields.keys() & {"error", "reset", "truncate", "hang_seconds"}) > 1:
        raise ValueError("choose one of error, reset, truncate and hang")
    if not fields.keys() - {"rate", "times"}:
        raise ValueError("say what happens: latency, error, reset, truncate or hang")
    return Fault(target, text=text, **fields)


def _number(text: str, low: float, high: float) -> float:
    number = float(text) if len(text) < 16 else high + 1
    if not low <= number <= high:
        raise ValueError(text)
    return number


def _flag(name: str, text: str) -> tuple[str, bool]:
    if text:
        raise ValueError(text)
    return name, True


_PARSERS: dict[str, Any] = {
    "latency": lambda text: ("latency_seconds", _number(text, 0, 600)),
    "error": lambda text: ("error", int(_number(text, 400, 599))),
    "reset": lambda text: _flag("reset", text),
    "truncate": lambda text: _flag("truncate", text),
    "hang": lambda text: (
        "hang_seconds",
        _number(text, 0.001, 600) if text else HANG_SECONDS,
    ),
    "rate": lambda text: ("rate", _number(text, 0, 1)),
    "times": lambda text: ("times", int(_number(text, 1, 1e6))),
}


_LIMITS = ("rate", "times")  # which requests fail, and not how

_EXAMPLES = {
    "latency": ("latency=0.2",),
    "error": ("error=503", "error=500", "error=429", "error=403"),
    "reset": ("reset",),
    "truncate": ("truncate",),
    "hang": ("hang",),
}


def single_faults(*targets: str) -> list[str]:
    """Orders for each target (by default all) that fail every request, in every way there is."""
    kinds = [kind for kind in _PARSERS if kind not in _LIMITS]
    return [
        f"{target}:{order}"
        for target in targets or TARGETS
        for kind in kinds
        for order in _EXAMPLES[kind]
    ]


class Faults:
    """The faults that are ordered now, and how many requests each target has got. Thread-safe."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._faults = list(faults)
        self._requests: Counter[str] = Counter()
        self._lock = threading.Lock()

    def order(self, fault: Fault) -> None:
        """Add a fault to those of its target; the first one that applies is used."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Cancel all faults, and count requests from zero."""
        with self._lock:
            self._faults.clear()
            self._requests.clear()

    def cancel(self, text: str) -> bool:
        """Cancel the faults that were ordered with that text. False if there is none."""
        with self._lock:
            kept = [fault for fault in self._faults if fault.text != text]
            found = len(kept) < len(self._faults)
            self._faults[:] = kept
            return found

    def draw(self, *targets: str) -> Fault | None:
        """Count a request to targets, and return the fault that it gets, or None."""
        with self._lock:
            self._requests.update(targets)
            for number, fault in enumerate(self._faults):
                if fault.target not in targets or random.random() >= fault.rate:  # noqa: S311
                    continue
                if fault.times is not None:
                    self._faults[number] = replace(fault, times=fault.times - 1)
                    if fault.times == 1:
                        del self._faults[number]
                return fault
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return the faults in their text form, and the requests by target, for JSON."""
        with self._lock:
            return {
                "faults": [fault.text for fault in self._faults],
                "requests": dict(self._requests),
            }
