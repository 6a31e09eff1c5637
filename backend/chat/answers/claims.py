"""A claim to be proven, and the verdict on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from chat.answers.figures import Figure
from chat.answers.passages import Statement
from chat.answers.reading import Reading

# Longer lead-ins are sentences, not labels.
_LABEL_CHARACTERS: Final = 40


class Reason(StrEnum):
    """Why a unit was removed."""

    NO_CITATION = "no_citation"
    NUMBER_NOT_IN_SOURCE = "number_not_in_source"
    UNKNOWN_SOURCE = "unknown_source"
    NOT_SUPPORTED = "not_supported"
    RECOMMENDATION = "recommendation"


@dataclass(frozen=True)
class Claim:
    """A unit or clause to be proven.

    Attributes:
        reading: Its words and figures.
        context: Its lead-ins and headings.
        exempt: Keys of figures that need no source, such as the count of a list.
        label: The words before a colon, such as "Roth" in "Roth: withdrawals are tax-free".
    """

    reading: Reading
    context: Sequence[str] = ()
    exempt: frozenset[str] = frozenset()
    label: str = ""

    @property
    def labels(self) -> Sequence[str]:
        """The label, lead-ins and headings that are short enough to name the claim's subject."""
        return [one for one in (self.label, *self.context) if 0 < len(one) <= _LABEL_CHARACTERS]

    @cached_property
    def text(self) -> str:
        """The claim after its lead-ins and headings."""
        return " ".join((*self.context, self.reading.text))

    @cached_property
    def plain(self) -> str:
        """`text` without the claim's figures."""
        return " ".join((*self.context, self.reading.plain))


@dataclass(frozen=True)
class Verdict:
    """What proves a claim, or why nothing does.

    `question_figures` are the figures that only the question contains.
    """

    reason: Reason | None
    statements: Sequence[Statement] = ()
    question_figures: Sequence[Figure] = ()
