"""Whether a claim stands on a sentence or table row that it cites."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Final

from chat.answers.arithmetic import calculations
from chat.answers.binding import Binding, agree, comparable, fit, matches
from chat.answers.claims import Claim, Reason, Verdict
from chat.answers.clauses import clauses_of, sentences_of
from chat.answers.comparing import changes_agree, comparisons_right
from chat.answers.figures import FRACTION, PERCENT, Figure
from chat.answers.frequencies import frequencies_agree
from chat.answers.opposites import (
    comparison_agrees,
    contrast_agrees,
    directions_agree,
    label_sides_agree,
    opposed,
)
from chat.answers.passages import PassageReading, Statement, named_figures
from chat.answers.polarity import limit_kept, negation_agrees, negations
from chat.answers.reading import Reading, context_labels, join, read
from chat.answers.relations import relations_agree
from chat.answers.subjects import replaced_subject
from chat.answers.substitution import Sources, pairs, tokens
from chat.answers.tables import cells
from chat.answers.words import content_words

# The share of a claim's content words that one sentence must have. Models paraphrase, and a third
# of the words of an honest sentence is often all that survives; figures, negation and labels are
# what catches the rest. Measured in tests/test_smoke.py.
WORD_SHARE: Final = 0.34
WORD_SHARE_WITH_FIGURES: Final = 0.25
_LEAST_FIT: Final = 0.9
_FEW_FOREIGN: Final = 6
_MOST_JOINED: Final = 4
_PAIR_SHARE: Final = 0.5
"""For two neighbouring sentences together."""

# "The gap is about 134,000" may name freely what the source calls the difference.
_FREELY_NAMED: Final = 2

# So many figures of one sentence tell which sentence is meant without any word.
_TELLING_FIGURES: Final = 3

_CONTEXT_WORD: Final = 0.5
_PASSAGE_WORD: Final = 0.25
_QUESTION_WEIGHT: Final = 0.04
_LEAD_IN_WEIGHT: Final = 0.5

# A sentence that shares this much more of the words decides whether negation and direction agree.
_CLOSER: Final = 0.05

# Another passage says nearly all of it and the cited one little: the citation is wrong.
_SAID_ELSEWHERE: Final = 0.75
_SAID_MORE: Final = 0.35
_LABEL: Final = re.compile(r"\W*([\w\s()'-]{2,40}):")
_PREMISE: Final = re.compile(
    r"\b(?:your|you (?:have|earn|are|hold|own|pay|owe|save|invest|put)|if|on|with|for|given|"
    r"suppose|assuming|at|from|since|as|against|compared "
    r"(?:to|with)|earning|having|of)\b"
    r"[^.;]{0,24}$",
    re.IGNORECASE,
)


_REFERS_BACK: Final = re.compile(
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


@dataclass(frozen=True)
class _Found:
    """How far one statement proves a claim."""

    statement: Statement
    share: float
    has_figures: bool
    asked: Sequence[Figure] = field(default_factory=tuple)


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
        self._question_labels = context_labels([question], _QUESTION_WEIGHT)

    def verify(self, claim: Claim, cited: Sequence[int]) -> Verdict:
        """Return whether the cited passages prove each sentence of a claim."""
        sentences = [] if claim.reading.is_row else sentences_of(claim.reading.text)
        if len(sentences) < 2:
            return self._verify_sentence(claim, cited)
        statements: list[Statement] = []
        asked: list[Figure] = []
        for sentence in sentences:
            part = self._verify_sentence(replace(claim, reading=read(sentence)), cited)
            if part.reason is not None:
                return part
            statements += part.statements
            asked += part.asked
        return Verdict(None, unique(statements), asked)

    def _verify_sentence(self, claim: Claim, cited: Sequence[int]) -> Verdict:
        """Return whether the passages prove a sentence, as a whole or clause by clause."""
        whole = self._verify(claim, cited)
        if whole.reason is None and self._is_exchanged(claim):
            return Verdict(Reason.NOT_SUPPORTED)
        if whole.reason is None:
            return whole
        clauses = clauses_of(claim.reading)
        if len(clauses) < 2:
            return whole
        statements: list[Statement] = []
        asked: list[Figure] = []
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
            asked += part.asked
        if self._is_exchanged(claim):
            return Verdict(Reason.NOT_SUPPORTED)
        # A sentence that proves every clause must not contradict what they say together.
        if len(statements) == 1 and not self._agrees(claim, statements[0]):
            return whole
        return Verdict(None, statements, asked)

    def _verify(  # noqa: PLR0911, PLR0912
        self, claim: Claim, cited: Sequence[int], labels_from: Sequence[str] | None = None
    ) -> Verdict:
        reading = claim.reading
        if self._names_others(claim, cited):
            return Verdict(Reason.NOT_SUPPORTED)
        labels = self._claim_labels(claim, labels_from)
        found = sorted(self._found(claim, cited), key=lambda one: -one.share)
        # A date is found in every title: it tells less than an amount which sentence is meant.
        has_amounts = any(figure.date is None for figure in reading.figures)
        telling = has_amounts or (reading.is_row and bool(reading.figures))
        needed = WORD_SHARE_WITH_FIGURES if telling else WORD_SHARE
        contradicted = 0.0
        for one in found:
            if not one.has_figures or one.share < needed:
                continue
            if not self._agrees(claim, one.statement) or not frequencies_agree(
                claim.reading, one.statement.reading, one.statement.columns
            ):
                # A sentence that shares more of the words decides what is denied and compared.
                contradicted = max(contradicted, one.share)
                continue
            if contradicted > one.share + _CLOSER:
                break
            if not self._binding.agrees(claim, labels, one.statement, cited):
                continue
            if self._said_elsewhere(reading, one, cited):
                break
            if self._speaks_of_another(claim, one.statement):
                return Verdict(Reason.NOT_SUPPORTED)
            if self._is_mixed(claim, one.statement):
                pair = self._pair(claim, labels, cited)
                if not pair or any(self._speaks_of_another(claim, one) for one in pair):
                    return Verdict(Reason.NOT_SUPPORTED)
                return Verdict(None, pair)
            return Verdict(None, [one.statement], one.asked)
        if (reading.figures or not contradicted) and (pair := self._pair(claim, labels, cited)):
            return Verdict(None, pair)
        if calculated := self._calculation(claim, labels, cited):
            return calculated
        if joined := self._by_figure(claim, labels, cited):
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

    def _found(self, claim: Claim, cited: Sequence[int]) -> list[_Found]:
        found: list[_Found] = []
        for index in cited:
            passage = self._passages[index]
            for statement in passage.statements:
                has_figures, asked = self._has_figures(claim, statement, passage)
                share = self._share(claim.reading, statement, passage, has_figures=has_figures)
                found.append(_Found(statement, share, has_figures, asked))
        return found

    def _claim_labels(
        self, claim: Claim, labels_from: Sequence[str] | None
    ) -> list[Mapping[str, float]]:
        around = dict(self._question_labels)
        context = claim.context if labels_from is None else labels_from
        for key, weight in context_labels(context, _LEAD_IN_WEIGHT).items():
            around[key] = max(weight, around.get(key, 0.0))
        return [{**around, **own} for own in claim.reading.labels]

    def _names_others(self, claim: Claim, cited: Sequence[int]) -> bool:
        """Whether a claim names what only passages that it does not cite have."""
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

    def _share(
        self, reading: Reading, statement: Statement, passage: PassageReading, *, has_figures: bool
    ) -> float:
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
        if stems and not (here or near or named) and (len(stems) > _FREELY_NAMED or rest):
            return 0.0
        return shared / total

    def _has_figures(
        self, claim: Claim, statement: Statement, passage: PassageReading
    ) -> tuple[bool, list[Figure]]:
        """Whether each figure is proven by one statement, and which ones only the question has."""
        reading = claim.reading
        named = dict(named_figures(reading))
        near = (
            *statement.reading.figures, *statement.column_figures, *statement.context_figures
        )  # fmt: skip
        if not all(any(head.agrees_with(one) for one in near) for head in reading.columns):
            return False, []
        asked: list[Figure] = []
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
            if self._is_asked(figure, claim, statement):
                asked.append(figure)
                continue
            return False, []
        return True, asked

    def _is_asked(self, figure: Figure, claim: Claim, statement: Statement) -> bool:
        """Whether a figure is the question's own and used as what the asker said.

        "You may withdraw 12 %" is not proven by the question whether one may withdraw 12 %: where
        the source has a figure of that kind, the claim must name it as well.
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

    def _agrees(self, claim: Claim, statement: Statement) -> bool:
        text, source = claim.text, statement.reading.text
        stems = claim.reading.stems.union(*(_text_stems(one) for one in claim.context))
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
        """Whether a sentence that begins with "it" does not speak of another thing."""
        named = pairs(tokens(claim.reading.text))[:1]
        known = statement.reading.stems.union(*(_text_stems(one) for one in statement.context))
        if not _REFERS_BACK.match(statement.reading.text):
            known |= _title_names(statement.passage.title or "")
            named = pairs(tokens(_ARTICLE.sub("", claim.reading.text))[:2])
        elsewhere = pairs(tokens(statement.passage.text))
        return all(name not in elsewhere or _text_stems(name) <= known for name in named)

    def _is_mixed(self, claim: Claim, statement: Statement, *parts: Statement) -> bool:
        """Whether what a claim takes from another sentence is more than it takes from this one.

        The sentence that has the other words must not contradict the claim either.
        """
        if claim.reading.is_row:
            return False
        if statement.reading.is_row:
            return self._has_words_of_another_row(claim, statement)
        stems = claim.reading.stems
        matched = stems & (statement.reading.stems | statement.context_stems)
        others = [
            one
            for passage in self._passages
            for one in passage.statements
            if not any(one is own for own in (statement, *parts)) and not one.reading.is_row
        ]
        foreign = {
            stem for stem in stems - matched if any(stem in one.reading.stems for one in others)
        }
        names = {word.stem for word in claim.reading.words if word.is_name}
        amounts = any(figure.date is None for figure in claim.reading.figures)
        few = len(matched) < 2 and not amounts and not claim.reading.identifiers
        if len(foreign) > len(matched) or (foreign and few) or foreign & names:
            return True
        for stem in foreign if len(foreign) * _FEW_FOREIGN >= len(stems) else ():
            holders = [one for one in others if stem in one.reading.stems]
            best = max(holders, key=lambda one: len(stems & one.reading.stems))
            if len(stems & best.reading.stems) * 2 >= len(stems) and not self._agrees(claim, best):
                return True
        return False

    def _has_words_of_another_row(self, claim: Claim, statement: Statement) -> bool:
        """Whether a claim says of a row what stands in a cell of another one."""
        passage = next(one for one in self._passages if one.passage is statement.passage)
        other = {
            stem
            for one in passage.statements
            if one.reading.is_row and one.columns == statement.columns
            for stem in one.reading.stems - _text_stems(cells(one.reading.text)[0].text)
        }
        known = statement.reading.stems | statement.context_stems
        return bool(claim.reading.stems & other - known)

    def _speaks_of_another(self, claim: Claim, statement: Statement) -> bool:
        """Whether a claim puts another subject in the place of the statement's."""
        if claim.reading.is_row or statement.reading.is_row:
            return False
        source = statement.reading.text
        refers = _REFERS_BACK.match(source) and statement.context
        known = frozenset(
            stem
            for passage in self._passages
            for one in passage.statements
            if one is not statement
            for stem in one.reading.stems
        )
        names = read(statement.passage.title or "").names
        around = names.union(*(_text_stems(text) for text in statement.context))
        subject = statement.context[-1] if refers else ""
        return replaced_subject(claim.reading.text, source, subject, known, around)

    def _extremes_agree(self, claim: Claim, statement: Statement) -> bool:
        """Whether what a claim calls the highest or lowest of a table's column is."""
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
        """Whether the claim does not put another name in the place of the statement's."""
        reading, source = claim.reading, statement.reading
        title = read(statement.passage.title or "")
        around = source.stems | source.identifier_keys | title.stems | title.identifier_keys
        mine = {name for name in reading.names if not name.startswith(("step", "page"))}
        missing = mine - around
        context = frozenset(stem for text in claim.context for stem in read(text).stems)
        return not missing or not (source.names - reading.stems - mine - context)

    def _said_elsewhere(self, reading: Reading, best: _Found, cited: Sequence[int]) -> bool:
        stems = reading.stems
        if len(stems) < 3:
            return False
        own = len(stems & (best.statement.reading.stems | best.statement.context_stems)) / len(
            stems
        )
        if own >= _SAID_ELSEWHERE - _SAID_MORE:
            return False
        return any(
            len(stems & one.reading.stems) / len(stems) >= max(_SAID_ELSEWHERE, own + _SAID_MORE)
            for index, passage in enumerate(self._passages)
            if index not in cited
            for one in passage.statements
        )

    def _pair(
        self, claim: Claim, labels: Sequence[Mapping[str, float]], cited: Sequence[int]
    ) -> list[Statement]:
        """Two neighbouring sentences that say together what a claim says."""
        reading = claim.reading
        if len(reading.figures) == 1 or reading.is_row:
            return []
        for index in cited:
            passage = self._passages[index]
            for one, two in zip(passage.statements, passage.statements[1:], strict=False):
                if one.reading.is_row or two.reading.is_row:
                    continue
                both = replace(one, reading=join(one.reading, two.reading))
                has_figures, asked = self._has_figures(claim, both, passage)
                if not has_figures or asked:
                    continue
                if _splits_range(claim, one, two):
                    continue
                if any(
                    self._has_figures(claim, part, passage)[0] and not self._agrees(claim, part)
                    for part in (one, two)
                ):
                    continue
                if any(matches(f, claim, one) and matches(f, claim, two) for f in reading.figures):
                    continue  # Which of the two is meant decides whether its labels agree.
                share = self._share(reading, both, passage, has_figures=True)
                if share < _PAIR_SHARE or not self._agrees(claim, both):
                    continue
                if not frequencies_agree(reading, both.reading):
                    continue
                if self._is_mixed(claim, both, one, two):
                    continue
                if self._binding.agrees(claim, labels, both, cited):
                    return [one, two]
        return []

    def _by_figure(  # noqa: PLR0911, PLR0912
        self, claim: Claim, labels: Sequence[Mapping[str, float]], cited: Sequence[int]
    ) -> list[Statement]:
        """Statements that prove a claim together, each figure with its labels in one of them."""
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
                    if own > score and self._binding.stands(claim, index, one):
                        best, score = one, own
            if best is None or self._binding.has_rival(claim, figure, labels[index], best, cited):
                return []
            used += [best] if not any(best is one for one in used) else []
            units.setdefault(id(best), []).append(figure.unit)
        # What two sentences say of two things is compared; "from 35 to 65" of one sentence and the
        # amount of another would make a third thing.
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
        if len(stems & known) < _PAIR_SHARE * len(stems & elsewhere):
            return []
        names = {word.stem for word in reading.words if word.is_name}
        if names & elsewhere - known - self._question.stems:
            return []
        if any(
            self._speaks_of_another(claim, one)
            or not limit_kept(claim.text, one.reading.text, stems)
            for one in used
        ):
            return []
        return used

    def _calculation(  # noqa: PLR0911, PLR0912
        self, claim: Claim, labels: Sequence[Mapping[str, float]], cited: Sequence[int]
    ) -> Verdict | None:
        """A shown calculation with operands that the cited passages or the question have."""
        figures = claim.reading.figures
        shown = calculations(claim.reading.text, figures)
        if not shown or not all(one.is_right for one in shown):
            return None
        proven = {one.result for one in shown}
        used: list[Statement] = []
        asked: list[Figure] = []
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
                asked.append(figure)
            elif index not in proven:
                return None
        if not used:
            return None
        before = read(claim.reading.text[: figures[shown[0].operands[0]].start])
        if before.figures or len(before.stems) > _FREELY_NAMED:
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
        if not all(self._agrees(claim, one) for one in used):
            return None
        return Verdict(None, used, asked)


@lru_cache(maxsize=256)
def _text_stems(text: str) -> frozenset[str]:
    return read(text).stems


@lru_cache(maxsize=256)
def _title_names(title: str) -> frozenset[str]:
    """The capitalised words of a title, with the first."""
    return frozenset(
        word.stem for word in content_words(title) if word.is_name or title[word.start].isupper()
    )


def _only_orders(reading: Reading, figure: Figure) -> bool:
    """Whether a figure is the "first" of "the first 15 months", which are as long without it."""
    return figure.key == "ordinal:1" and any(
        0 <= other.start - figure.end <= 1 for other in reading.figures
    )


def _splits_range(claim: Claim, one: Statement, two: Statement) -> bool:
    """Whether the two ends of a range stand in different sentences."""
    ends = [figure for figure in claim.reading.figures if figure.end_of]
    return bool(ends) and not any(
        all(matches(end, claim, source) for end in ends) for source in (one, two)
    )


def unique(statements: Iterable[Statement]) -> list[Statement]:
    """Return statements without repetition, in their order."""
    found: list[Statement] = []
    for one in statements:
        if not any(one is other for other in found):
            found.append(one)
    return found
