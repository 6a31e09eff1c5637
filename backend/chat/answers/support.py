"""Whether a claim stands on a sentence or table row that it cites."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

from chat.answers.arithmetic import calculations
from chat.answers.lexicon import word_list
from chat.answers.passages import PassageReading, Statement, named_figures
from chat.answers.polarity import (
    comparison_agrees,
    directions_agree,
    limit_kept,
    negation_agrees,
    opposed,
)
from chat.answers.quantities import AGE, BARE, FRACTION, PERCENT, Figure
from chat.answers.reading import BETWEEN_WEIGHT, Reading, context_labels, join, read

# The share of a claim's content words that one sentence must have. Models paraphrase, and a third
# of the words of an honest sentence is often all that survives; figures, negation and labels are
# what catches the rest. Measured in tests/test_smoke.py.
WORD_SHARE: Final = 0.34
WORD_SHARE_WITH_FIGURES: Final = 0.25
_PAIR_SHARE: Final = 0.5
"""For two neighbouring sentences together."""

_LABEL_CHARACTERS: Final = 40

# "The gap is about 134,000" may name freely what the source calls the difference.
_FREELY_NAMED: Final = 2

_CONTEXT_WORD: Final = 0.5
_PASSAGE_WORD: Final = 0.25
_QUESTION_WEIGHT: Final = 0.04
_LEAD_IN_WEIGHT: Final = 0.5

# How much better another figure's labels must fit before the claim's figure counts as swapped.
_MARGIN: Final = 0.05
_MARGIN_ELSEWHERE: Final = 0.35
_UNNAMED_ROW_LABEL: Final = 0.1

# A sentence that shares this much more of the words decides whether negation and direction agree.
_CLOSER: Final = 0.05

# Another passage says nearly all of it and the cited one little: the citation is wrong.
_SAID_ELSEWHERE: Final = 0.75
_SAID_MORE: Final = 0.35

_CLAUSE: Final = re.compile(
    r"\s*;\s*|\s+[\u2014\u2013-]\s+|\s*\u2014\s*|:\s+|,?\s+\b(?=(?:and|but|while|whereas|"
    r"although|though|so|yet|because|"
    r"since|which|when|who)\b)|,\s+(?=(?:up|down|with|including|plus|then|leaving|making|"
    r"meaning|or)\b)|(?<=[.!?])\s+(?=[A-Z])"
)
_MAX_CLAUSES: Final = 8
_LABEL: Final = re.compile(r"\W*([\w\s()'-]{2,40}):")
_VALUE: Final = frozenset(
    word_list("""is are was were be cost costs becomes became equals brings brought reaches reached pays
yields makes totals totalled adds added earns earned gives""")
)
_BASE: Final = frozenset(word_list("""on for with of at from in under"""))
_BETWEEN: Final = frozenset(
    word_list("""about around roughly approximately nearly almost only just some a an the another additional
extra over under around up further""")
)
_LOSS: Final = re.compile(
    r"\b(?:loss(?:es)?|lost|lose[sd]?|deficit|decreas\w+|declin\w+|fell|fall(?:s|en)?|drop\w*|"
    r"negative|shortfall|down|"
    r"reduc\w+|shr[aiu]nk\w*|outflow\w*|used)\b",
    re.IGNORECASE,
)
_PREMISE: Final = re.compile(
    r"\b(?:your|you (?:have|earn|are|hold|own|pay|owe|save|invest|put)|if|on|with|for|given|suppose|assuming|at|from|since|as|against|compared "
    r"(?:to|with)|earning|having|of)\b"
    r"[^.;]{0,24}$",
    re.IGNORECASE,
)


_EXTREME: Final = re.compile(
    r"\b(?:(?P<high>highest|largest|biggest|greatest|best|strongest)|lowest|smallest|cheapest|"
    r"worst|weakest)\b",
    re.IGNORECASE,
)


class Reason(StrEnum):
    """Why a unit was removed."""

    NO_CITATION = "no_citation"
    NUMBER_NOT_IN_SOURCE = "number_not_in_source"
    UNKNOWN_SOURCE = "unknown_source"
    NOT_SUPPORTED = "not_supported"


@dataclass(frozen=True)
class Claim:
    """A unit or clause to be proven.

    Attributes:
        reading: Its words and figures.
        context: Lead-ins and headings that it completes.
        exempt: Keys of figures that need no source, such as the count of a list.
    """

    reading: Reading
    context: Sequence[str] = ()
    exempt: frozenset[str] = frozenset()

    label: str = ""
    """What stands before a colon: "Roth: withdrawals are tax-free"."""

    @property
    def labels(self) -> Sequence[str]:
        """The short texts that say what the claim is about."""
        return [one for one in (self.label, *self.context) if one and len(one) <= _LABEL_CHARACTERS]

    @property
    def text(self) -> str:
        """The claim with the lead-ins that it completes."""
        return " ".join((*self.context, self.reading.text))


@dataclass(frozen=True)
class Verdict:
    """What proves a claim, or why nothing does."""

    reason: Reason | None
    statements: Sequence[Statement] = ()
    asked: Sequence[Figure] = ()
    """The figures that only the question has."""


@dataclass(frozen=True)
class _Found:
    """How far one statement proves a claim."""

    statement: Statement
    share: float
    has_figures: bool
    agrees: bool
    asked: Sequence[Figure] = field(default_factory=tuple)


class Support:
    """Proves claims from the retrieved passages.

    Args:
        passages: The retrieved passages, read.
        question: The question that was asked.
    """

    def __init__(self, passages: Sequence[PassageReading], question: str) -> None:
        self._passages = passages
        self._question = read(question)
        self._question_labels = context_labels([question], _QUESTION_WEIGHT)

    def verify(self, claim: Claim, cited: Sequence[int]) -> Verdict:
        """Return whether the cited passages prove a claim, as a whole or clause by clause."""
        whole = self._verify(claim, cited)
        if whole.reason is None:
            return whole
        clauses = _clauses(claim.reading)
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
        # A negation or a direction may reach from one clause into the next.
        return Verdict(None, statements, asked)

    def _verify(
        self, claim: Claim, cited: Sequence[int], labels_from: Sequence[str] | None = None
    ) -> Verdict:
        reading = claim.reading
        if self._names_others(claim, cited):
            return Verdict(Reason.NOT_SUPPORTED)
        labels = self._claim_labels(claim, labels_from)
        statements = [one for index in cited for one in self._passages[index].statements]
        found: list[_Found] = []
        for index in cited:
            passage = self._passages[index]
            for statement in passage.statements:
                has_figures, asked = self._has_figures(claim, statement, passage)
                share = self._share(reading, statement, passage, has_figures=has_figures)
                agrees = False
                needed = WORD_SHARE_WITH_FIGURES if reading.figures else WORD_SHARE
                if has_figures and share >= needed:
                    agrees = self._agrees(claim, statement) and self._labels_agree(
                        claim, labels, statement, statements, cited
                    )
                found.append(_Found(statement, share, has_figures, agrees, asked))
        proven = [one for one in found if one.agrees]
        if proven:
            best = max(proven, key=lambda one: one.share)
            closer = [one for one in found if one.share > best.share + _CLOSER and one.has_figures]
            if any(not self._agrees(claim, one.statement) for one in closer):
                return Verdict(Reason.NOT_SUPPORTED)
            if self._said_elsewhere(reading, best, cited):
                return Verdict(Reason.NOT_SUPPORTED)
            return Verdict(None, [best.statement], best.asked)
        contradicted = not reading.figures and any(
            one.share >= WORD_SHARE and not self._agrees(claim, one.statement) for one in found
        )
        if not contradicted and (pair := self._pair(claim, labels, cited)):
            return Verdict(None, pair)
        if calculated := self._calculation(claim, labels, cited):
            return calculated
        if reading.figures and not any(one.has_figures for one in found):
            return Verdict(Reason.NUMBER_NOT_IN_SOURCE)
        if found and reading.figures:
            closest = max(found, key=lambda one: one.share)
            if not closest.has_figures:
                return Verdict(Reason.NUMBER_NOT_IN_SOURCE)
        return Verdict(Reason.NOT_SUPPORTED)

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
        if stems and not here and not near and (len(stems) > _FREELY_NAMED or rest):
            return 0.0
        return shared / total

    def _has_figures(
        self, claim: Claim, statement: Statement, passage: PassageReading
    ) -> tuple[bool, list[Figure]]:
        """Whether each figure is proven by one statement, and which ones only the question has."""
        reading = claim.reading
        named = {key: word for key, word in named_figures(reading)}
        around = (
            *statement.reading.figures, *statement.column_figures, *statement.context_figures
        )  # fmt: skip
        if not all(any(head.agrees_with(one) for one in around) for head in reading.columns):
            return False, []
        asked: list[Figure] = []
        for figure in reading.figures:
            if figure.key in claim.exempt or _matches(figure, claim, statement):
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
            beside = [
                one for one in passage.statements if one.reading.stems & claim.reading.stems
            ]
        rivals = [
            one for near in beside for one in near.reading.figures if _comparable(one, figure)
        ]
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
            and directions_agree(
                " ".join((*claim.context, claim.reading.plain)), statement.reading.plain
            )
            and self._names_agree(claim, statement)
            and self._extremes_agree(claim, statement)
            and comparison_agrees(text, source)
            and limit_kept(text, source, claim.reading.stems)
        )

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
            if not any(_agree(mine, figure, claim, statement) for mine in claim.reading.figures):
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

    def _labels_agree(
        self,
        claim: Claim,
        labels: Sequence[Mapping[str, float]],
        statement: Statement,
        statements: Sequence[Statement],
        cited: Sequence[int],
    ) -> bool:
        """Whether each figure stands with the labels that the source gives it."""
        figures = claim.reading.figures
        fits = [
            _fit(labels[index], statement, lambda one, f=figure: _agree(f, one, claim, statement))
            if figure.key not in claim.exempt
            else None
            for index, figure in enumerate(figures)
        ]
        elsewhere = [
            one
            for index, passage in enumerate(self._passages)
            if index not in cited
            for one in passage.statements
        ]
        for index, figure in enumerate(figures):
            if figure.date is None and figure.key not in claim.exempt:
                if not self._dates_agree(claim, index, statement):
                    return False
                if self._takes_label(claim, index, statement):
                    return False
        for index, (figure, own) in enumerate(zip(figures, fits, strict=True)):
            # The figures beside a date have it as their label.
            if own is None or (figure.date and any(not one.date for one in figures)):
                continue

            def rival(one: Figure, f: Figure = figure) -> bool:
                return (
                    _comparable(one, f)
                    and not _agree(f, one, claim, statement)
                    and not any(other.agrees_with(one) for other in figures)
                )

            for pool, margin in ((statements, _MARGIN), (elsewhere, _MARGIN_ELSEWHERE)):
                for source in pool:
                    other = _fit(labels[index], source, rival)
                    if other is not None and other > own + margin:
                        return False
        return self._pairs_agree(claim, labels, statement, fits)

    @staticmethod
    def _takes_label(claim: Claim, index: int, statement: Statement) -> bool:
        """Whether a figure has a label of another figure in the place of its own."""
        figure = claim.reading.figures[index]
        mine = {key for key, weight in claim.reading.labels[index].items() if weight >= 1}
        said = claim.reading.stems
        labels = statement.reading.labels
        answers: list[bool] = []
        for number, one in enumerate(statement.reading.figures):
            if not _agree(figure, one, claim, statement):
                continue
            theirs = labels[number]
            foreign = {
                key for key in mine & statement.reading.stems if not _is_own(theirs.get(key, 0))
            }
            left = [
                key
                for key, weight in theirs.items()
                if weight >= 1 and key not in said and key in statement.reading.stems
            ]
            answers.append(
                any(
                    claim.reading.slots.get(one, frozenset())
                    & statement.reading.slots.get(other, frozenset())
                    for one in foreign
                    for other in left
                )
            )
        return bool(answers) and all(answers)

    @staticmethod
    def _dates_agree(claim: Claim, index: int, statement: Statement) -> bool:
        """Whether a figure is not given another date than the source gives it."""
        figure = claim.reading.figures[index]
        mine = _dates_of(claim.reading.labels[index])
        if not mine:
            return True
        agreed = [
            _dates_of(statement.labels[number])
            for number, one in enumerate(statement.reading.figures)
            if _agree(figure, one, claim, statement)
        ]
        if not agreed:
            return True
        context = {one.key for one in statement.context_figures if one.date}
        return any(
            not theirs or mine & theirs or (not theirs and mine & context) for theirs in agreed
        )

    @staticmethod
    def _pairs_agree(
        claim: Claim,
        labels: Sequence[Mapping[str, float]],
        statement: Statement,
        fits: Sequence[float | None],
    ) -> bool:
        """Whether no two figures of a claim would fit better the other way round."""
        figures = claim.reading.figures
        for one in range(len(figures)):
            for two in range(one + 1, len(figures)):
                first, second = fits[one], fits[two]
                if first is None or second is None or not _comparable(figures[one], figures[two]):
                    continue
                if figures[one].key == figures[two].key:
                    continue
                if _roles_crossed(claim, statement, one, two):
                    return False
                crossed = _fit(labels[one], statement, figures[two].agrees_with)
                back = _fit(labels[two], statement, figures[one].agrees_with)
                if crossed is None or back is None:
                    continue
                if crossed + back > first + second + _MARGIN:
                    return False
        return True

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
        statements = [one for index in cited for one in self._passages[index].statements]
        for index in cited:
            passage = self._passages[index]
            for one, two in zip(passage.statements, passage.statements[1:], strict=False):
                if one.reading.is_row or two.reading.is_row:
                    continue
                both = replace(one, reading=join(one.reading, two.reading))
                has_figures, asked = self._has_figures(claim, both, passage)
                if not has_figures or asked:
                    continue
                if any(
                    _matches(f, claim, one) and _matches(f, claim, two) for f in reading.figures
                ):
                    continue  # Which of the two is meant decides whether its labels agree.
                share = self._share(reading, both, passage, has_figures=True)
                if share < _PAIR_SHARE or not self._agrees(claim, both):
                    continue
                if self._labels_agree(claim, labels, both, statements, cited):
                    return [one, two]
        return []

    def _calculation(
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
        for index, figure in enumerate(figures):
            if figure.key in claim.exempt:
                continue
            if index in proven and figure.key not in {
                other.key for number, other in enumerate(figures) if number not in proven
            }:
                continue
            candidates = [
                (_fit(labels[index], one, figure.agrees_with) or 0.0, one)
                for passage in cited
                for one in self._passages[passage].statements
                if any(figure.agrees_with(source) for source in one.reading.figures)
            ]
            if candidates:
                best = max(candidates, key=lambda pair: pair[0])[1]
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


def _roles_crossed(claim: Claim, statement: Statement, one: int, two: int) -> bool:
    """Whether "on X it costs Y" became "on Y it costs X"."""
    reading, source = claim.reading, statement.reading
    mine = [_role(reading.text, reading.figures[index]) for index in (one, two)]
    theirs = [
        _role(source.text, figure)
        for index in (one, two)
        for figure in source.figures
        if reading.figures[index].agrees_with(figure)
    ]
    if source.is_row or len(theirs) != 2:
        return False
    return any(
        mine[first] == "value"
        and theirs[first] == "base"
        and theirs[second] == "value" != mine[second]
        for first, second in ((0, 1), (1, 0))
    )


def _role(text: str, figure: Figure) -> str:
    words = re.findall(r"[A-Za-z']+", text[max(0, figure.start - 50) : figure.start].lower())
    while words and words[-1] in _BETWEEN:
        words.pop()
    if not words:
        return ""
    return "value" if words[-1] in _VALUE else "base" if words[-1] in _BASE else ""


def _is_own(weight: float) -> bool:
    """Whether a label is a figure's own, and not shared from before the first of several."""
    return weight >= 1 or 0 < weight <= BETWEEN_WEIGHT


def _dates_of(labels: Mapping[str, float]) -> set[str]:
    return {key for key, weight in labels.items() if key.startswith("date:") and weight >= 1}


@lru_cache(maxsize=256)
def _text_stems(text: str) -> frozenset[str]:
    return read(text).stems


def _matches(figure: Figure, claim: Claim, statement: Statement) -> bool:
    return any(_agree(figure, one, claim, statement) for one in statement.reading.figures)


def _agree(figure: Figure, source: Figure, claim: Claim, statement: Statement) -> bool:
    if figure.agrees_with(source):
        return True
    # "(5.2)" is a loss of 5.2.
    if figure.date or source.date or (figure.value < 0) == (source.value < 0):
        return False
    positive_text = claim.text if figure.value >= 0 else statement.reading.text
    if not _LOSS.search(positive_text):
        return False
    return _flipped(figure).agrees_with(source)


def _flipped(figure: Figure) -> Figure:
    return replace(figure, value=-figure.value)


def _comparable(one: Figure, other: Figure) -> bool:
    units = {one.unit, other.unit}
    return len(units) == 1 or units in ({AGE, BARE}, {FRACTION, PERCENT})


def _fit(
    labels: Mapping[str, float], statement: Statement, wanted: Callable[[Figure], bool]
) -> float | None:
    """How well a claim's labels fit the best wanted figure of a statement; None without one."""
    best: float | None = None
    reading = statement.reading
    for index, figure in enumerate(reading.figures):
        if not wanted(figure):
            continue
        theirs = statement.labels[index]
        score = sum(min(weight, theirs[key]) for key, weight in labels.items() if key in theirs)
        if reading.is_row and reading.row_labels is not None:
            unnamed = sum(1 for key in reading.row_labels[index] if key not in labels)
            score -= min(0.5, _UNNAMED_ROW_LABEL * unnamed)
        best = score if best is None else max(best, score)
    return best


def _clauses(reading: Reading) -> list[Reading]:
    """Cut a claim where its parts may come from different sentences."""
    text = reading.text
    if reading.is_row:
        return []
    cuts = [0, *(match.end() for match in _CLAUSE.finditer(text)), len(text)]
    pieces: list[str] = []
    for one, two in zip(cuts, cuts[1:], strict=False):
        piece = text[one:two]
        part = read(piece)
        if (pieces and len(part.stems) + len(part.figures) < 2) or (
            pieces and len(read(pieces[-1]).stems) + len(read(pieces[-1]).figures) < 2
        ):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    if len(pieces) > _MAX_CLAUSES:
        return []
    return [read(piece) for piece in pieces]


def unique(statements: Iterable[Statement]) -> list[Statement]:
    """Return statements without repetition, in their order."""
    found: list[Statement] = []
    for one in statements:
        if not any(one is other for other in found):
            found.append(one)
    return found
