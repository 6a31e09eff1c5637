"""The gate: the bounds that the measured values must keep, from a data file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError, model_validator

from evaluation.question import InvalidSet
from evaluation.section import Section

OWN_GATE: Final = Path(__file__).with_name("gate.json")


class Bound(BaseModel):
    """The bounds of a value: at least, at most, or both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> "Bound":
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least, at_most or both")
        return self

    def admits(self, value: float) -> bool:
        """Return whether a value keeps the bound."""
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    def __str__(self) -> str:
        parts = []
        if self.at_least is not None:
            parts.append(f">= {self.at_least:g}")
        if self.at_most is not None:
            parts.append(f"<= {self.at_most:g}")
        return ", ".join(parts)


class Gate(RootModel[dict[str, dict[str, Bound]]]):
    """Bounds by section and metric."""

    def bound(self, section: str, metric: str) -> Bound | None:
        """Return the bound of a metric, if it has one."""
        return self.root.get(section, {}).get(metric)

    def failures(self, sections: Sequence[Section]) -> list[str]:
        """Return a sentence for each bound that is not kept, and each that cannot be judged."""
        measured = {one.name: one for one in sections}
        failures = []
        for name, bounds in self.root.items():
            section = measured.get(name)
            if section is None or section.unavailable is not None:
                reason = "was not measured" if section is None else section.unavailable
                failures.append(f"{name}: {reason}")
                continue
            failures += _failures(section, bounds)
        return failures


def read_gate(path: Path) -> Gate:
    """Return the gate of a file; an empty one if there is no file.

    Raises:
        InvalidSet: The file is wrong.
    """
    if not path.exists():
        return Gate({})
    try:
        fields: Any = json.loads(path.read_text("utf-8"))
        return Gate.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidSet(f"{path.name}: {where}: {first['msg']}") from None
    except ValueError as error:
        raise InvalidSet(f"{path.name} is not JSON: {error}") from None


def _failures(section: Section, bounds: Mapping[str, Bound]) -> list[str]:
    failures = []
    for metric, bound in bounds.items():
        value = section.metrics.get(metric)
        if value is None:
            failures.append(f"{section.name}: {metric} was not measured")
        elif not bound.admits(value):
            failures.append(f"{section.name}: {metric} is {value:.4g}, and must be {bound}")
    return failures
