"""A section of the evaluation: what it measured, in numbers and question by question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any


@dataclass(frozen=True)
class Section:
    """One part of the evaluation.

    Attributes:
        name: As in the gate's file.
        metrics: Value by name. Shares are from 0 to 1.
        items: Whether each question, recording or case was right, by its id.
        notes: What a reader should look at, such as the reason of each failure.
        unavailable: Why the section could not be measured, else None.
    """

    name: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    items: Mapping[str, bool] = field(default_factory=dict)
    notes: Sequence[str] = ()
    unavailable: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the section as JSON's types."""
        return {
            "name": self.name,
            "metrics": dict(self.metrics),
            "items": dict(self.items),
            "notes": list(self.notes),
            "unavailable": self.unavailable,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Section":
        """Return a section that `as_json` wrote."""
        return cls(**fields)


def share(values: Sequence[bool]) -> float:
    """Return the share of true values; 1 if there is none, so that no set fails for a kind that
    it lacks.
    """
    return mean([float(one) for one in values], default=1.0)


def mean(values: Sequence[float], *, default: float = 0.0) -> float:
    """Return the mean, or the default if there is no value."""
    return fmean(values) if values else default
