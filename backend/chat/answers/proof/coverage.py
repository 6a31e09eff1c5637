"""How many of a claim's words and which of its figures a sentence or table row has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from chat.answers.claims import Claim
from chat.answers.figures import FRACTION, PERCENT, Figure
from chat.answers.labels.matching import comparable, matches
from chat.answers.passages import PassageReading, Statement, named_figures
from chat.answers.reading import Reading

# The share of a claim's content words that one sentence must have. It is low because models
# paraphrase; the comparison of figures, negations and labels finds most false claims. Measured in
# tests/test_smoke.py.
WORD_SHARE: Final = 0.34
WORD_SHARE_WITH_FIGURES: Final = 0.25
# A claim this short may use other words: "the gap is 134,000" for "the difference is 134,000".
FREELY_NAMED: Final = 2
# With so many figures, a sentence need not share a word.
_TELLING_FIGURES: Final = 3
_CONTEXT_WORD: Final = 0.5
_PASSAGE_WORD: Final = 0.25
_PREMISE: Final = re.compile(
    r"\b(?:your|you (?:have|earn|are|hold|own|pay|owe|save|invest|put)|if|on|with|for|given|"
    r"suppose|assuming|at|from|since|as|against|compared "
    r"(?:to|with)|earning|having|of)\b"
    r"[^.;]{0,24}$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Overlap:
    """How much of a claim one statement has."""

    statement: Statement
    share: float
    has_figures: bool
    question_figures: Sequence[Figure] = field(default_factory=tuple)


class Coverage:
    """Measures how much of a claim statements have.

    Args:
        passages: The retrieved passages, read.
        question: The question that was asked, read.
    """

    def __init__(self, passages: Sequence[PassageReading], question: Reading) -> None:
        self._passages = passages
        self._question = question

    def overlaps(self, claim: Claim, cited: Sequence[int]) -> list[Overlap]:
        """Return how much of a claim each statement of the cited passages has."""
        found: list[Overlap] = []
        for index in cited:
            passage = self._passages[index]
            for statement in passage.statements:
                has_figures, question_figures = self.has_figures(claim, statement, passage)
                share = self.share(claim.reading, statement, passage, has_figures=has_figures)
                found.append(Overlap(statement, share, has_figures, question_figures))
        return found

    def share(
        self, reading: Reading, statement: Statement, passage: PassageReading, *, has_figures: bool
    ) -> float:
        """Return the share of a text's words and figures that a statement has.

        Words of its heading and of the rest of its passage count less.
        """
        stems = reading.stems
        total = len(stems) + len(reading.figures) + len(reading.identifier_keys)
        if not total:
            return 1.0
        here = stems & statement.reading.stems
        near = (stems - here) & statement.context_stems
        rest = (stems - here - near) & passage.stems
        shared = len(here) + _CONTEXT_WORD * len(near) + _PASSAGE_WORD * len(rest)
        shared += len(reading.identifier_keys & passage.identifier_keys)
        shared += len(reading.figures) if has_figures else 0
        named = has_figures and len(reading.figures) >= _TELLING_FIGURES
        if stems and not (here or near or named) and (len(stems) > FREELY_NAMED or rest):
            return 0.0
        return shared / total

    def has_figures(
        self, claim: Claim, statement: Statement, passage: PassageReading
    ) -> tuple[bool, list[Figure]]:
        """Return whether a statement has each figure, and which ones only the question has."""
        reading = claim.reading
        named = dict(named_figures(reading))
        near = (
            *statement.reading.figures, *statement.column_figures, *statement.context_figures
        )  # fmt: skip
        if not all(any(head.agrees_with(one) for one in near) for head in reading.columns):
            return False, []
        question_figures: list[Figure] = []
        for figure in reading.figures:
            if figure.key in claim.exempt or matches(figure, claim, statement):
                continue
            if _only_orders(reading, figure):
                continue
            around = statement.context_figures if figure.date else statement.column_figures
            if any(figure.agrees_with(one) for one in around):
                continue
            if (figure.key, named.get(figure.key, "")) in passage.named_figures:
                continue
            if self._is_premise(figure, claim, statement):
                question_figures.append(figure)
                continue
            return False, []
        return True, question_figures

    def _is_premise(self, figure: Figure, claim: Claim, statement: Statement) -> bool:
        """Whether a figure comes from the question and the claim uses it as a premise.

        The question "may I withdraw 12 %?" does not prove "you may withdraw 12 %": if the source
        has a figure of that kind, the claim must repeat it.
        """
        if not any(figure.agrees_with(one) for one in self._question.figures):
            return False
        beside = [statement]
        if figure.unit in {PERCENT, FRACTION}:
            passage = next(one for one in self._passages if one.passage is statement.passage)
            beside = [one for one in passage.statements if one.reading.stems & claim.reading.stems]
        rivals = [one for near in beside for one in near.reading.figures if comparable(one, figure)]
        if rivals and not any(
            other is not figure and other.agrees_with(one)
            for other in claim.reading.figures
            for one in rivals
        ):
            return False
        before = claim.reading.text[: figure.start]
        return bool(_PREMISE.search(before)) or figure.date is not None


def _only_orders(reading: Reading, figure: Figure) -> bool:
    """Whether a figure is the "first" of "the first 15 months", which needs no proof."""
    return figure.key == "ordinal:1" and any(
        0 <= other.start - figure.end <= 1 for other in reading.figures
    )
