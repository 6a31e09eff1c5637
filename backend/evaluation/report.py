"""The report of an evaluation: tables with columns of fixed width, and JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from evaluation.gate import Gate
from evaluation.section import Section

_NAME_WIDTH: Final = 40
_VALUE_WIDTH: Final = 10
_GATE_WIDTH: Final = 12


@dataclass(frozen=True)
class Report:
    """The sections of an evaluation, and what the gate says about them."""

    sections: Sequence[Section]
    gate: Gate

    @property
    def failures(self) -> list[str]:
        """Why the gate does not let it pass; empty if it does."""
        return self.gate.failures(self.sections)

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON's types."""
        return {
            "passed": not self.failures,
            "failures": self.failures,
            "gate": self.gate.model_dump(exclude_none=True),
            "sections": [one.as_json() for one in self.sections],
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        """Return a report that `as_json` wrote."""
        sections = [Section.from_json(one) for one in fields["sections"]]
        return cls(sections, Gate.model_validate(fields["gate"]))

    def lines(self, *, notes: bool = True) -> Iterator[str]:
        """Yield the lines of the tables."""
        for section in self.sections:
            yield ""
            yield f"{section.name:<{_NAME_WIDTH}}{'value':>{_VALUE_WIDTH}}  {'gate':<{_GATE_WIDTH}}"
            if section.unavailable is not None:
                yield f"  not available: {section.unavailable}"
            for name, value in section.metrics.items():
                bound = self.gate.bound(section.name, name)
                verdict = "" if bound is None else "ok" if bound.admits(value) else "FAILED"
                yield (
                    f"  {name:<{_NAME_WIDTH - 2}}{shown(value):>{_VALUE_WIDTH}}  "
                    f"{bound or ''!s:<{_GATE_WIDTH}}{verdict}"
                ).rstrip()
            if notes:
                yield from (f"    {note}" for note in section.notes)
        yield ""
        yield from (f"FAILED  {one}" for one in self.failures)
        yield "The gate fails." if self.failures else self._passes()

    def _passes(self) -> str:
        return "The gate passes." if self.gate.root else "There is no gate: nothing was required."


def shown(value: float) -> str:
    """Return a number without needless decimals."""
    return f"{value:.0f}" if value == int(value) and abs(value) > 1 else f"{value:.3f}"
