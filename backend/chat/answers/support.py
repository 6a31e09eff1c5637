"""Whether the passages that a claim cites prove it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from chat.answers.arithmetic import calculations
from chat.answers.claims import Claim, Reason, Verdict
from chat.answers.clauses import clauses_of, sentences_of
from chat.answers.figures import Figure
from chat.answers.frequencies import frequencies_agree
from chat.answers.labels.binding import Binding
from chat.answers.labels.fitting import fit
from chat.answers.passages import PassageReading, Statement
from chat.answers.proof.agreement import Agreement
from chat.answers.proof.coverage import (
    FREELY_NAMED,
    WORD_SHARE,
    WORD_SHARE_WITH_FIGURES,
    Coverage,
)
from chat.answers.proof.joining import Joining
from chat.answers.proof.mixture import Mixture
from chat.answers.reading import context_labels, read
from chat.answers.substitution import Sources, pairs, tokens

_QUESTION_WEIGHT: Final = 0.04
_LEAD_IN_WEIGHT: Final = 0.5
# A contradicting sentence decides, unless the proving one shares almost as many words.
_CLOSER: Final = 0.05
_LABEL: Final = re.compile(r"\W*([\w\s()'-]{2,40}):")


class Support:
    """Proves claims from the retrieved passages.

    Args:
        passages: The retrieved passages, read.
        question: The question that was asked.
    """

    def __init__(self, passages: Sequence[PassageReading], question: str) -> None:
        self._passages = passages
        self._binding = Binding(passages)
        self._question = read(question)
        self._sources = Sources(
            (one.reading.text, around)
            for passage in passages
            for around in [frozenset(pairs(tokens(passage.passage.text)))]
            for one in passage.statements
            if not one.reading.is_row
        )
        self._coverage = Coverage(passages, self._question)
        self._agreement = Agreement(passages)
        self._mixture = Mixture(passages, self._agreement)
        self._joining = Joining(
            passages,
            self._question,
            binding=self._binding,
            coverage=self._coverage,
            agreement=self._agreement,
            mixture=self._mixture,
        )
        self._question_labels = context_labels([question], _QUESTION_WEIGHT)

    def verify(self, claim: Claim, cited: Sequence[int]) -> Verdict:
        """Return whether the cited passages prove each sentence of a claim."""
        sentences = [] if claim.reading.is_row else sentences_of(claim.reading.text)
        if len(sentences) < 2:
            return self._verify_sentence(claim, cited)
        statements: list[Statement] = []
        question_figures: list[Figure] = []
        for sentence in sentences:
            part = self._verify_sentence(replace(claim, reading=read(sentence)), cited)
            if part.reason is not None:
                return part
            statements += part.statements
            question_figures += part.question_figures
        return Verdict(None, unique(statements), question_figures)

    def _verify_sentence(self, claim: Claim, cited: Sequence[int]) -> Verdict:
        """Return whether the passages prove a sentence, as a whole or clause by clause."""
        whole = self._verify(claim, cited)
        if whole.reason is None:
            return Verdict(Reason.NOT_SUPPORTED) if self._is_exchanged(claim) else whole
        clauses = clauses_of(claim.reading)
        if len(clauses) < 2:
            return whole
        statements: list[Statement] = []
        question_figures: list[Figure] = []
        subject = clauses[0].text
        label = _LABEL.match(claim.reading.text)
        for number, clause in enumerate(clauses):
            context = (*claim.context, subject) if number else claim.context
            part = self._verify(
                Claim(clause, claim.context, claim.exempt, label[1] if label else ""),
                cited,
                labels_from=context,
            )
            if part.reason is not None:
                return whole
            statements += [one for one in part.statements if one not in statements]
            question_figures += part.question_figures
        # A sentence that proves every clause must not contradict what they say together.
        alone = len(statements) == 1
        if (alone and not self._agreement.agrees(claim, statements[0])) or self._is_exchanged(
            claim
        ):
            return Verdict(Reason.NOT_SUPPORTED)
        return Verdict(None, statements, question_figures)

    def _verify(  # noqa: PLR0911, PLR0912
        self, claim: Claim, cited: Sequence[int], labels_from: Sequence[str] | None = None
    ) -> Verdict:
        reading = claim.reading
        if self._names_uncited(claim, cited):
            return Verdict(Reason.NOT_SUPPORTED)
        labels = self._claim_labels(claim, labels_from)
        found = sorted(self._coverage.overlaps(claim, cited), key=lambda one: -one.share)
        # Many sentences contain the same date; an amount identifies its sentence.
        has_amounts = any(figure.date is None for figure in reading.figures)
        telling = has_amounts or (reading.is_row and bool(reading.figures))
        needed = WORD_SHARE_WITH_FIGURES if telling else WORD_SHARE
        contradicted = 0.0
        for one in found:
            if not one.has_figures or one.share < needed:
                continue
            if not self._agreement.agrees(claim, one.statement) or not frequencies_agree(
                claim.reading, one.statement.reading, one.statement.columns
            ):
                # A sentence that shares fewer words cannot overrule this contradiction.
                contradicted = max(contradicted, one.share)
                continue
            if contradicted > one.share + _CLOSER:
                break
            if not self._binding.agrees(claim, labels, one.statement, cited):
                continue
            if self._mixture.is_found_elsewhere(reading, one, cited):
                break
            if self._mixture.replaces_subject(claim, one.statement):
                return Verdict(Reason.NOT_SUPPORTED)
            if self._mixture.is_mixed(claim, one.statement):
                pair = self._joining.pair(claim, labels, cited)
                if not pair or any(self._mixture.replaces_subject(claim, one) for one in pair):
                    return Verdict(Reason.NOT_SUPPORTED)
                return Verdict(None, pair)
            return Verdict(None, [one.statement], one.question_figures)
        if (reading.figures or not contradicted) and (
            pair := self._joining.pair(claim, labels, cited)
        ):
            return Verdict(None, pair)
        if calculated := self._calculation(claim, labels, cited):
            return calculated
        if joined := self._joining.by_figure(claim, labels, cited):
            return Verdict(None, joined)
        if reading.figures and not any(one.has_figures for one in found):
            return Verdict(Reason.NUMBER_NOT_IN_SOURCE)
        if reading.figures and not found[0].has_figures:
            return Verdict(Reason.NUMBER_NOT_IN_SOURCE)
        return Verdict(Reason.NOT_SUPPORTED)

    def _is_exchanged(self, claim: Claim) -> bool:
        if claim.reading.is_row:
            return False
        return self._sources.exchanged(claim.reading.text)

    def _claim_labels(
        self, claim: Claim, labels_from: Sequence[str] | None
    ) -> list[Mapping[str, float]]:
        around = dict(self._question_labels)
        context = claim.context if labels_from is None else labels_from
        for key, weight in context_labels(context, _LEAD_IN_WEIGHT).items():
            around[key] = max(weight, around.get(key, 0.0))
        return [{**around, **own} for own in claim.reading.labels]

    def _names_uncited(self, claim: Claim, cited: Sequence[int]) -> bool:
        """Whether a claim has a name that only passages that it does not cite have."""
        known = self._question.stems.union(*(self._passages[index].stems for index in cited))
        keys = self._question.identifier_keys.union(
            *(self._passages[index].identifier_keys for index in cited)
        )
        for key in claim.reading.identifier_keys:
            if key not in keys and not key.startswith(("step", "page")):
                return True
        names = {word.stem for word in claim.reading.words if word.is_name} - known
        return any(
            names & one.stems for index, one in enumerate(self._passages) if index not in cited
        )

    def _calculation(  # noqa: PLR0911, PLR0912
        self, claim: Claim, labels: Sequence[Mapping[str, float]], cited: Sequence[int]
    ) -> Verdict | None:
        """Prove a claim that shows a calculation whose operands are in its sources or question."""
        figures = claim.reading.figures
        shown = calculations(claim.reading.text, figures)
        if not shown or not all(one.is_right for one in shown):
            return None
        proven = {one.result for one in shown}
        used: list[Statement] = []
        question_figures: list[Figure] = []
        operands = {index for one in shown for index in one.operands}
        for index, figure in enumerate(figures):
            if figure.key in claim.exempt:
                continue
            if index in proven and figure.key not in {
                other.key for number, other in enumerate(figures) if number not in proven
            }:
                continue
            candidates = [
                (fit(labels[index], one, figure.agrees_with) or 0.0, one)
                for passage in cited
                for one in self._passages[passage].statements
                if any(figure.agrees_with(source) for source in one.reading.figures)
            ]
            if candidates:
                best = max(candidates, key=lambda pair: pair[0])[1]
                if index in operands and self._binding.has_rival(
                    claim, figure, labels[index], best, cited
                ):
                    return None
                used += [best] if best not in used else []
            elif any(figure.agrees_with(one) for one in self._question.figures):
                question_figures.append(figure)
            elif index not in proven:
                return None
        if not used:
            return None
        before = read(claim.reading.text[: figures[shown[0].operands[0]].start])
        if before.figures or len(before.stems) > FREELY_NAMED:
            results = frozenset(figures[one.result].key for one in shown)
            part = self.verify(Claim(before, claim.context, claim.exempt | results), cited)
            if part.reason is not None:
                return None
        stems = claim.reading.stems
        about = {stem for one in used for stem in one.reading.stems | one.context_stems}
        if (
            len(stems) > 3
            and len(stems & (about | self._question.stems)) < len(stems) * WORD_SHARE_WITH_FIGURES
        ):
            return None
        if not all(self._agreement.agrees(claim, one) for one in used):
            return None
        return Verdict(None, used, question_figures)


def unique(statements: Iterable[Statement]) -> list[Statement]:
    """Return statements in their order, each once."""
    found: list[Statement] = []
    for one in statements:
        if not any(one is other for other in found):
            found.append(one)
    return found
