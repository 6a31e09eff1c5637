"""Whether a sentence or table row does not contradict a claim."""

import re
from collections.abc import Sequence
from typing import Final

from chat.answers.claims import Claim
from chat.answers.comparing import changes_agree
from chat.answers.labels.matching import agree
from chat.answers.opposites import (
    comparison_agrees,
    contrast_agrees,
    directions_agree,
    label_sides_agree,
    opposed,
)
from chat.answers.passages import PassageReading, Statement
from chat.answers.polarity import limit_kept, negation_agrees
from chat.answers.proof.stems import text_stems, title_names
from chat.answers.reading import read
from chat.answers.relations import relations_agree
from chat.answers.substitution import pairs, tokens

REFERS_BACK: Final = re.compile(
    r"\W*(?:it|its|they|their|this|that|these|those|he|she)\b", re.IGNORECASE
)
_ARTICLE: Final = re.compile(
    r"^\W*(?:(?:note|important|tip|remember|key point|summary|answer|warning|in short)\b\W+)?"
    r"(?:(?:the|an?|your|each|every|most)\s+)?",
    re.IGNORECASE,
)
_EXTREME: Final = re.compile(
    r"\b(?:(?P<high>highest|largest|biggest|greatest|best|strongest)|lowest|smallest|cheapest|"
    r"worst|weakest)\b",
    re.IGNORECASE,
)


class Agreement:
    """Compares the negations, comparisons, names and limits of claims and statements.

    Args:
        passages: The retrieved passages, read.
    """

    def __init__(self, passages: Sequence[PassageReading]) -> None:
        self._passages = passages

    def agrees(self, claim: Claim, statement: Statement) -> bool:
        """Whether a statement does not contradict a claim."""
        text, source = claim.text, statement.reading.text
        stems = claim.reading.stems.union(*(text_stems(one) for one in claim.context))
        return (
            negation_agrees(text, source, stems, statement.reading.stems)
            and not any(opposed(label, statement.reading.plain) for label in claim.labels)
            and directions_agree(claim.plain, statement.reading.plain)
            and changes_agree(claim.reading, statement)
            and self._names_agree(claim, statement)
            and self._extremes_agree(claim, statement)
            and label_sides_agree(claim.plain, statement.reading.plain)
            and comparison_agrees(text, source)
            and contrast_agrees(text, source)
            and (
                statement.reading.is_row
                or relations_agree(claim.reading.plain, statement.reading.plain)
            )
            and self._subject_agrees(claim, statement)
            and limit_kept(text, source, claim.reading.stems)
        )

    @staticmethod
    def _subject_agrees(claim: Claim, statement: Statement) -> bool:
        """Whether a two-word subject of the claim, if the passage has it, is in this statement."""
        named = pairs(tokens(claim.reading.text))[:1]
        known = statement.reading.stems.union(*(text_stems(one) for one in statement.context))
        if not REFERS_BACK.match(statement.reading.text):
            known |= title_names(statement.passage.title or "")
            named = pairs(tokens(_ARTICLE.sub("", claim.reading.text))[:2])
        elsewhere = pairs(tokens(statement.passage.text))
        return all(name not in elsewhere or text_stems(name) <= known for name in named)

    def _extremes_agree(self, claim: Claim, statement: Statement) -> bool:
        """Whether a figure that a claim calls the highest or lowest is so in its column."""
        wanted = _EXTREME.search(claim.reading.text)
        if wanted is None or not statement.reading.is_row:
            return True
        if wanted[0].lower() in statement.reading.text.lower():
            return True
        rows = next(one.statements for one in self._passages if one.passage is statement.passage)
        figures = statement.reading.figures
        for number, figure in enumerate(figures):
            if not any(agree(mine, claim, statement, figure) for mine in claim.reading.figures):
                continue
            column = [
                row.reading.figures[number].value
                for row in rows
                if row.reading.is_row and len(row.reading.figures) == len(figures)
            ]
            if figure.value == (max(column) if wanted["high"] else min(column)):
                return True
        return not claim.reading.figures

    @staticmethod
    def _names_agree(claim: Claim, statement: Statement) -> bool:
        """Whether the claim does not replace a name of the statement with another."""
        reading, source = claim.reading, statement.reading
        title = read(statement.passage.title or "")
        around = source.stems | source.identifier_keys | title.stems | title.identifier_keys
        mine = {name for name in reading.names if not name.startswith(("step", "page"))}
        missing = mine - around
        context = frozenset(stem for text in claim.context for stem in read(text).stems)
        return not missing or not (source.names - reading.stems - mine - context)
