"""Whether a claim takes words from sentences that do not prove it."""

from collections.abc import Sequence
from typing import Final

from chat.answers.claims import Claim
from chat.answers.passages import PassageReading, Statement
from chat.answers.proof.agreement import REFERS_BACK, Agreement
from chat.answers.proof.coverage import Overlap
from chat.answers.proof.stems import text_stems
from chat.answers.reading import Reading, read
from chat.answers.subjects import replaced_subject
from chat.answers.tables import cells

_FEW_FOREIGN: Final = 6
# A citation is wrong if another passage has nearly all of the claim and the cited one little.
_SHARE_ELSEWHERE: Final = 0.75
_SHARE_MORE: Final = 0.35


class Mixture:
    """Finds the words of a claim in statements that do not prove it.

    Args:
        passages: The retrieved passages, read.
        agreement: Compares a claim with the other statements.
    """

    def __init__(self, passages: Sequence[PassageReading], agreement: Agreement) -> None:
        self._passages = passages
        self._agreement = agreement
        self._statements_by_stem: dict[str, list[Statement]] = {}
        """The statements that contain a word, by its stem."""
        for passage in passages:
            for statement in passage.statements:
                for stem in statement.reading.stems:
                    self._statements_by_stem.setdefault(stem, []).append(statement)

    def is_mixed(self, claim: Claim, statement: Statement, *parts: Statement) -> bool:
        """Whether a claim takes more words from other sentences than from the one that proves it.

        Also True if the sentence with the other words contradicts the claim.
        """
        if claim.reading.is_row:
            return False
        if statement.reading.is_row:
            return self._has_words_of_another_row(claim, statement)
        stems = claim.reading.stems
        matched = stems & (statement.reading.stems | statement.context_stems)
        others = {
            stem: [
                one
                for one in self._statements_by_stem.get(stem, ())
                if not one.reading.is_row and not any(one is own for own in (statement, *parts))
            ]
            for stem in stems - matched
        }
        foreign = {stem for stem, holders in others.items() if holders}
        names = {word.stem for word in claim.reading.words if word.is_name}
        amounts = any(figure.date is None for figure in claim.reading.figures)
        few = len(matched) < 2 and not amounts and not claim.reading.identifiers
        if len(foreign) > len(matched) or (foreign and few) or foreign & names:
            return True
        for stem in foreign if len(foreign) * _FEW_FOREIGN >= len(stems) else ():
            best = max(others[stem], key=lambda one: len(stems & one.reading.stems))
            has_half = len(stems & best.reading.stems) * 2 >= len(stems)
            if has_half and not self._agreement.agrees(claim, best):
                return True
        return False

    def _has_words_of_another_row(self, claim: Claim, statement: Statement) -> bool:
        """Whether a claim has words from a cell of another row of the same table."""
        passage = next(one for one in self._passages if one.passage is statement.passage)
        other = {
            stem
            for one in passage.statements
            if one.reading.is_row and one.columns == statement.columns
            for stem in one.reading.stems - text_stems(cells(one.reading.text)[0].text)
        }
        known = statement.reading.stems | statement.context_stems
        return bool(claim.reading.stems & other - known)

    def replaces_subject(self, claim: Claim, statement: Statement) -> bool:
        """Whether a claim replaces the subject of a statement with another."""
        if claim.reading.is_row or statement.reading.is_row:
            return False
        source = statement.reading.text
        refers = REFERS_BACK.match(source) and statement.context

        def is_known(stem: str) -> bool:
            return any(one is not statement for one in self._statements_by_stem.get(stem, ()))

        names = read(statement.passage.title or "").names
        around = names.union(*(text_stems(text) for text in statement.context))
        subject = statement.context[-1] if refers else ""
        return replaced_subject(claim.reading.text, source, subject, is_known, around)

    def is_found_elsewhere(self, reading: Reading, best: Overlap, cited: Sequence[int]) -> bool:
        """Whether an uncited passage has nearly all words of a claim, and the cited one few."""
        stems = reading.stems
        if len(stems) < 3:
            return False
        own = len(stems & (best.statement.reading.stems | best.statement.context_stems)) / len(
            stems
        )
        if own >= _SHARE_ELSEWHERE - _SHARE_MORE:
            return False
        return any(
            len(stems & one.reading.stems) / len(stems) >= max(_SHARE_ELSEWHERE, own + _SHARE_MORE)
            for index, passage in enumerate(self._passages)
            if index not in cited
            for one in passage.statements
        )
