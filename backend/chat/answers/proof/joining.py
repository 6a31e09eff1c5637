"""Claims that several sentences or table rows prove together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from chat.answers.arithmetic import calculations
from chat.answers.claims import Claim
from chat.answers.comparing import comparisons_right
from chat.answers.frequencies import frequencies_agree
from chat.answers.labels.binding import Binding
from chat.answers.labels.fitting import fit
from chat.answers.labels.matching import agree, matches
from chat.answers.negations import negations
from chat.answers.passages import PassageReading, Statement
from chat.answers.polarity import limit_kept
from chat.answers.proof.agreement import Agreement
from chat.answers.proof.coverage import Coverage
from chat.answers.proof.mixture import Mixture
from chat.answers.reading import Reading, join

_LEAST_FIT: Final = 0.9
_MOST_JOINED: Final = 4
PAIR_SHARE: Final = 0.5
"""The share of a claim's words that two neighbouring sentences must have together."""


class Joining:
    """Looks for several statements that prove a claim together.

    Args:
        passages: The retrieved passages, read.
        question: The question that was asked, read.
        binding: Compares figures with their labels.
        coverage: Measures what statements have of a claim.
        agreement: Compares negations, comparisons and names.
        mixture: Finds words of the claim in other statements.
    """

    def __init__(
        self,
        passages: Sequence[PassageReading],
        question: Reading,
        *,
        binding: Binding,
        coverage: Coverage,
        agreement: Agreement,
        mixture: Mixture,
    ) -> None:
        self._passages = passages
        self._question = question
        self._binding = binding
        self._coverage = coverage
        self._agreement = agreement
        self._mixture = mixture

    def pair(
        self, claim: Claim, labels: Sequence[Mapping[str, float]], cited: Sequence[int]
    ) -> list[Statement]:
        """Return two neighbouring sentences that prove a claim together, or nothing."""
        reading = claim.reading
        if len(reading.figures) == 1 or reading.is_row:
            return []
        for index in cited:
            passage = self._passages[index]
            for one, two in zip(passage.statements, passage.statements[1:], strict=False):
                if one.reading.is_row or two.reading.is_row:
                    continue
                both = replace(one, reading=join(one.reading, two.reading))
                has_figures, question_figures = self._coverage.has_figures(claim, both, passage)
                if not has_figures or question_figures:
                    continue
                if _splits_range(claim, one, two):
                    continue
                if any(
                    self._coverage.has_figures(claim, part, passage)[0]
                    and not self._agreement.agrees(claim, part)
                    for part in (one, two)
                ):
                    continue
                if any(matches(f, claim, one) and matches(f, claim, two) for f in reading.figures):
                    continue  # A figure that both have may get the labels of the wrong one.
                share = self._coverage.share(reading, both, passage, has_figures=True)
                if share < PAIR_SHARE or not self._agreement.agrees(claim, both):
                    continue
                if not frequencies_agree(reading, both.reading):
                    continue
                if self._mixture.is_mixed(claim, both, one, two):
                    continue
                if self._binding.agrees(claim, labels, both, cited):
                    return [one, two]
        return []

    def by_figure(  # noqa: PLR0911, PLR0912
        self, claim: Claim, labels: Sequence[Mapping[str, float]], cited: Sequence[int]
    ) -> list[Statement]:
        """Return the statements that have the figures of a claim with their labels, or nothing."""
        reading = claim.reading
        amounts = [
            (index, figure)
            for index, figure in enumerate(reading.figures)
            if figure.date is None and figure.key not in claim.exempt
        ]
        if len(amounts) < 2 or calculations(reading.text, reading.figures):
            return []
        used: list[Statement] = []
        units: dict[int, list[str]] = {}
        for index, figure in amounts:
            best, score = None, _LEAST_FIT
            for passage in cited:
                for one in self._passages[passage].statements:
                    if not matches(figure, claim, one):
                        continue
                    own = fit(labels[index], one, partial(agree, figure, claim, one)) or 0.0
                    if own > score and self._binding.is_in_place(claim, index, one):
                        best, score = one, own
            if best is None or self._binding.has_rival(claim, figure, labels[index], best, cited):
                return []
            used += [best] if not any(best is one for one in used) else []
            units.setdefault(id(best), []).append(figure.unit)
        # Figures of one kind from two sentences make a comparison. An age range from one sentence
        # and an amount from another would make a new statement.
        kinds = {tuple(sorted(set(one))) for one in units.values()}
        if len(kinds) > 1 and not any(one.reading.is_row for one in used):
            return []
        if len(used) < 2 or len(used) > _MOST_JOINED:
            return []
        around = [
            one
            for source in used
            for one in (*source.reading.figures, *source.column_figures, *source.context_figures)
        ]
        stated = [figure for figure in reading.figures if figure.date]
        if not all(
            any(figure.agrees_with(one) for one in around) for figure in (*stated, *reading.columns)
        ):
            return []
        if not comparisons_right(reading) or negations(claim.text):
            return []
        stems = reading.stems
        known = frozenset(stem for one in used for stem in one.reading.stems | one.context_stems)
        elsewhere = frozenset(stem for one in self._passages for stem in one.stems)
        if len(stems & known) < PAIR_SHARE * len(stems & elsewhere):
            return []
        names = {word.stem for word in reading.words if word.is_name}
        if names & elsewhere - known - self._question.stems:
            return []
        if any(
            self._mixture.replaces_subject(claim, one)
            or not limit_kept(claim.text, one.reading.text, stems)
            for one in used
        ):
            return []
        return used


def _splits_range(claim: Claim, one: Statement, two: Statement) -> bool:
    """Whether the two ends of a range are in different sentences."""
    ends = [figure for figure in claim.reading.figures if figure.end_of]
    return bool(ends) and not any(
        all(matches(end, claim, source) for end in ends) for source in (one, two)
    )
