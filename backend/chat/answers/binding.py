"""Whether the figures of a claim stand with the labels that the source gives them.

"Bonds returned 4 %" is wrong where stocks did, though 4 % stands in the sentence. Each figure of a
claim is compared with every figure of its kind in the passages: the one it agrees with has to fit
the words around it at least as well as any other.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from chat.answers.claims import Claim
from chat.answers.figures import AGE, BARE, FRACTION, PERCENT, Figure
from chat.answers.lexicon import word_list
from chat.answers.passages import PassageReading, Statement
from chat.answers.reading import BETWEEN_WEIGHT, read
from chat.answers.times import times_agree

Labels = Mapping[str, float]

# How much better another figure's labels must fit before the claim's figure counts as swapped.
_MARGIN: Final = 0.05
_MARGIN_ELSEWHERE: Final = 0.35
# Numbers without a unit may be ages beside amounts, which nobody takes for each other.
_MARGIN_UNLIKE: Final = 0.5
_SMALL: Final = 150
_UNNAMED_ROW_LABEL: Final = 0.1
_UNNAMED_IN_ALL: Final = 0.5

_VALUE: Final = frozenset(
    word_list("""is are was were be cost costs becomes became equals brings brought reaches
reached pays
yields makes totals totalled adds added earns earned gives has have had""")
)
_BASE: Final = frozenset(word_list("""on for with of at from in under"""))
_TELLING_ROLES: Final = frozenset({"value", "from", "to"})
_BETWEEN: Final = frozenset(
    word_list("""about around roughly approximately nearly almost only just some a an the another
additional
extra over under around up further""")
)
_LOSS: Final = re.compile(
    r"\b(?:loss(?:es)?|lost|lose[sd]?|deficit|decreas\w+|declin\w+|fell|fall(?:s|en)?|drop\w*|"
    r"negative|shortfall|down|"
    r"reduc\w+|shr[aiu]nk\w*|outflow\w*|used)\b",
    re.IGNORECASE,
)

_CHANGED_TO: Final = re.compile(
    r"\b(?:improv|ris|ros|rais|fell|fall|increas|decreas|declin|drop|grew|grow|climb|reduc|went|"
    r"lower|widen|narrow)\w*\s+(?:\w+\s+){0,2}to\s+\W*\Z",
    re.IGNORECASE,
)
_NAMED_ONCE: Final = frozenset({PERCENT, "year", "month", "week", "day"})
_PREPOSITION: Final = re.compile(r"\b(?:by|of|to|at|from|than)\s+\Z")
_DIFFERENCE: Final = re.compile(r"\s*(?:more|less|higher|lower|fewer)\b", re.IGNORECASE)
_LEAST_MONEY: Final = 100
_WORD: Final = re.compile(r"\s*([A-Za-z]+)")
_MONEY_VERBS: Final = frozenset(
    word_list("""grows grew becomes became costs earns earned loses lost doubles doubled invested
borrowed saved paid left remains yields returns""")
)
_CURRENCY_SIGN: Final = re.compile(r"[$\u20ac\u00a3\u00a5]|\b(?:euros?|pounds?|yen|EUR|GBP|CHF)\b")
_THAN_DATE: Final = re.compile(r"\b(?:more|less|higher|lower|fewer) than (?:in |on |at )?\Z")
_NEAR_DATE: Final = 24


_AT: Final = re.compile(r"\s+(?:at|for|from|after|by)\s+(?:age\s+)?", re.IGNORECASE)
_CLAUSE: Final = re.compile(r";\s+|,?\s+(?=(?:while|whereas|but)\b)")


class Binding:
    """Compares figures with their labels.

    Args:
        passages: The retrieved passages, read.
    """

    def __init__(self, passages: Sequence[PassageReading]) -> None:
        self._by_unit: dict[str, list[tuple[int, Statement, int]]] = {}
        for number, passage in enumerate(passages):
            for statement in passage.statements:
                for index, figure in enumerate(statement.reading.figures):
                    place = (number, statement, index)
                    self._by_unit.setdefault(figure.unit, []).append(place)

    def agrees(
        self, claim: Claim, labels: Sequence[Labels], statement: Statement, cited: Sequence[int]
    ) -> bool:
        """Whether each figure of a claim stands with the labels that the statement gives it."""
        figures = claim.reading.figures
        fits: list[float | None] = []
        for index, figure in enumerate(figures):
            if figure.key in claim.exempt:
                fits.append(None)
                continue
            if not self.stands(claim, index, statement):
                return False
            fits.append(fit(labels[index], statement, partial(agree, figure, claim, statement)))
        for index, (figure, own) in enumerate(zip(figures, fits, strict=True)):
            # The figures beside a date have it as their label.
            if own is None or (figure.date and any(not one.date for one in figures)):
                continue
            if self.has_rival(claim, figure, labels[index], statement, cited):
                return False
        return _pairs_agree(claim, labels, statement, fits)

    @staticmethod
    def stands(claim: Claim, index: int, statement: Statement) -> bool:
        """Whether a figure has no time, date, column or label of another one."""
        figure = claim.reading.figures[index]
        if _in_other_column(claim, index, statement) or not times_agree(claim, figure, statement):
            return False
        if _follows_another(claim, index, statement):
            return False
        return figure.date is not None or (
            _dates_agree(claim, index, statement) and not _takes_label(claim, index, statement)
        )

    def has_rival(
        self,
        claim: Claim,
        figure: Figure,
        labels: Labels,
        statement: Statement,
        cited: Sequence[int],
    ) -> bool:
        """Whether another figure of the same kind fits the labels better."""
        figures = claim.reading.figures
        own = fit(labels, statement, partial(agree, figure, claim, statement)) or 0.0
        # A sentence that a lead-in repeats has its words, and figures that the lead-in has too.
        introduced = [one for text in claim.context for one in read(text).figures]
        # "Before 65" is compared with ages where the source says that 65 is one.
        units = {
            one.unit for one in statement.reading.figures if agree(figure, claim, statement, one)
        }
        for unit in units:
            for number, source, place in self._by_unit.get(unit, ()):
                margin = _MARGIN if number in cited else _MARGIN_ELSEWHERE
                other = source.reading.figures[place]
                if unit == BARE and (abs(other.value) < _SMALL) != (abs(figure.value) < _SMALL):
                    margin = _MARGIN_UNLIKE
                if _score(labels, source, place) <= own + margin and not (
                    source is statement and _is_nearer(labels, claim, figure, statement, place)
                ):
                    continue
                if not any(
                    agree(one, claim, source, other) for one in (figure, *figures, *introduced)
                ):
                    return True
        return False


def _is_nearer(
    labels: Labels, claim: Claim, figure: Figure, statement: Statement, place: int
) -> bool:
    """Whether another figure has all labels of the claim, and the claim's own has one more.

    "Food at home rose to 3,933" leaves out a word of "food away from home rose to 3,933", and none
    of "food at home rose to 6,053".
    """
    if statement.reading.is_row or claim.reading.is_row:
        return False
    mine = {key for key, weight in labels.items() if ":" not in key and weight >= 1}
    other = {key for key in statement.labels[place] if ":" not in key}
    if not mine or not mine <= other:
        return False
    for number, one in enumerate(statement.reading.figures):
        if agree(figure, claim, statement, one):
            own = {
                k for k, weight in statement.labels[number].items() if ":" not in k and weight >= 1
            }
            near = {k for k, weight in statement.labels[place].items() if weight >= 1}
            if not own - mine - near or near - mine - own - {k for k in near if ":" in k}:
                return False
    return True


_COMPARABLE: Final = {
    AGE: (AGE, BARE),
    BARE: (BARE, AGE),
    FRACTION: (FRACTION, PERCENT),
    PERCENT: (PERCENT, FRACTION),
}


def comparable(one: Figure, other: Figure) -> bool:
    """Whether two figures are of one kind."""
    return other.unit in _COMPARABLE.get(one.unit, (one.unit,))


def matches(figure: Figure, claim: Claim, statement: Statement) -> bool:
    """Whether a statement has a figure of a claim."""
    return any(agree(figure, claim, statement, one) for one in statement.reading.figures)


def agree(  # noqa: PLR0911
    figure: Figure, claim: Claim, statement: Statement, source: Figure
) -> bool:
    """Whether two figures agree, where a loss may be written as negative or in words."""
    if source.end_of == "from" and _CHANGED_TO.search(claim.reading.text[: figure.start]):
        return False  # "From 12.2 % to 14.2 %" is no improvement to 12.2 %.
    if figure.agrees_with(source):
        return True
    if _is_unnamed_money(figure, source, statement):
        return replace(figure, unit=BARE).agrees_with(source)
    if _is_unnamed_unit(figure, source, statement):
        return replace(figure, unit=BARE).agrees_with(source)
    if figure.date or source.date or (figure.value < 0) == (source.value < 0):
        return False
    positive_text = claim.text if figure.value >= 0 else statement.reading.text
    if not _LOSS.search(positive_text):
        return False
    return replace(figure, value=-figure.value).agrees_with(source)


def _is_unnamed_money(figure: Figure, source: Figure, statement: Statement) -> bool:
    """Whether a source leaves out the currency: "costs of 6,000" are $6,000 in American terms.

    Only dollars are left out in the guides; a passage that names a currency leaves out none.
    """
    if figure.unit != "USD" or source.unit != BARE or abs(source.value) < _LEAST_MONEY:
        return False
    text = statement.reading.text
    behind = read(text[source.end : source.end + 24])
    word = _WORD.match(text, source.end)
    counted = (
        behind.words[:1]
        and behind.words[0].start <= 1
        and not (word and word[1].lower() in _MONEY_VERBS)
    )
    return not counted and not _CURRENCY_SIGN.search(statement.passage.text)


def _is_unnamed_unit(figure: Figure, source: Figure, statement: Statement) -> bool:
    """Whether a source names the unit once: "pays four per cent while prices rise by five"."""
    if figure.unit not in _NAMED_ONCE or source.unit != BARE:
        return False
    before = statement.reading.text[: source.start]
    return _PREPOSITION.search(before) is not None and any(
        one.unit == figure.unit and one.start < source.start for one in statement.reading.figures
    )


def fit(labels: Labels, statement: Statement, wanted: Callable[[Figure], bool]) -> float | None:
    """Return how well labels fit the best wanted figure of a statement; None without one."""
    scores = [
        _score(labels, statement, index)
        for index, figure in enumerate(statement.reading.figures)
        if wanted(figure)
    ]
    return max(scores, default=None)


def _score(labels: Labels, statement: Statement, index: int) -> float:
    theirs = statement.labels[index]
    score = 0.0
    # In a fixed order: the sum of fractions depends on it, and a set's order on the process.
    for key, weight in labels.items():
        score += min(weight, theirs.get(key, 0.0))
    row_labels = statement.reading.row_labels
    if statement.reading.is_row and row_labels is not None:
        unnamed = len(row_labels[index].keys() - labels.keys())
        score -= min(_UNNAMED_IN_ALL, _UNNAMED_ROW_LABEL * unnamed)
    return score


def _pairs_agree(
    claim: Claim,
    labels: Sequence[Labels],
    statement: Statement,
    fits: Sequence[float | None],
) -> bool:
    """Whether no two figures of a claim would fit better the other way round."""
    figures = claim.reading.figures
    for one in range(len(figures)):
        for two in range(one + 1, len(figures)):
            first, second = fits[one], fits[two]
            if first is None or second is None or figures[one].unit != figures[two].unit:
                continue
            if figures[one].key == figures[two].key:
                continue
            if _roles_crossed(claim, statement, one, two):
                return False
            crossed = fit(labels[one], statement, figures[two].agrees_with)
            back = fit(labels[two], statement, figures[one].agrees_with)
            if crossed is None or back is None:
                continue
            if crossed + back > first + second + _MARGIN:
                return False
    return True


def _takes_label(claim: Claim, index: int, statement: Statement) -> bool:
    """Whether a figure has a label of another figure in the place of its own."""
    if claim.reading.is_row:
        return False  # The words of a row stand in no order that tells what belongs together.
    figure = claim.reading.figures[index]
    mine = {key for key, weight in claim.reading.labels[index].items() if weight >= 1}
    said = claim.reading.stems
    labels = statement.reading.labels
    answers: list[bool] = []
    for number, one in enumerate(statement.reading.figures):
        if not agree(figure, claim, statement, one):
            continue
        theirs = labels[number]
        beside = {
            key
            for other, around in zip(statement.reading.figures, labels, strict=True)
            if other is not one and comparable(other, one)
            for key, weight in around.items()
            if weight >= 1
        }
        foreign = {
            key
            for key in mine & statement.reading.stems & beside
            if not _is_own(theirs.get(key, 0))
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


def _dates_agree(claim: Claim, index: int, statement: Statement) -> bool:
    """Whether a figure is not given another date than the source gives it."""
    figure = claim.reading.figures[index]
    mine = _dates_of(claim.reading.labels[index])
    if not mine:
        return True
    if _in_clause_of_other_date(claim, figure, statement):
        return False
    agreed = [
        (_dates_of(statement.labels[number]), _dates_of_others(statement, number))
        for number, one in enumerate(statement.reading.figures)
        if agree(figure, claim, statement, one)
    ]
    if not agreed:
        return True
    return any(
        not theirs or mine & (theirs - others) or (theirs <= others and not mine & others)
        for theirs, others in agreed
    )


def _follows_another(claim: Claim, index: int, statement: Statement) -> bool:
    """Whether "1,400 at 70" is said where the source has "1,400 at 62 and 2,480 at 70"."""
    figures = claim.reading.figures
    if index + 1 == len(figures) or not _follows(claim.reading.text, figures, index):
        return False
    found = statement.reading.figures
    pairs = [
        (one, two)
        for place, (one, two) in enumerate(itertools.pairwise(found))
        if _follows(statement.reading.text, found, place)
        and agree(figures[index + 1], claim, statement, two)
        and comparable(one, figures[index])
    ]
    return bool(pairs) and not any(agree(figures[index], claim, statement, one) for one, _ in pairs)


def _follows(text: str, figures: Sequence[Figure], index: int) -> bool:
    return _AT.fullmatch(text, figures[index].end, figures[index + 1].start) is not None


def _in_clause_of_other_date(claim: Claim, figure: Figure, statement: Statement) -> bool:
    """Whether the source's clause that has a figure has dates, and none of the claim's."""
    if statement.reading.is_row or claim.reading.is_row:
        return False
    mine = [one for one in claim.reading.figures if one.date]
    if len(mine) != 1:
        return False
    text, found = statement.reading.text, statement.reading.figures
    cuts = [0, *(match.end() for match in _CLAUSE.finditer(text)), len(text)]
    answers: list[bool] = []
    for one in found:
        if not agree(figure, claim, statement, one):
            continue
        low = max(cut for cut in cuts if cut <= one.start)
        high = min(cut for cut in cuts if cut > one.start)
        beside = [other for other in found if other.date and low <= other.start < high]
        answers.append(bool(beside) and not any(mine[0].agrees_with(other) for other in beside))
    return bool(answers) and all(answers)


def _in_other_column(claim: Claim, index: int, statement: Statement) -> bool:
    """Whether a row's figure stands under the name of another column of the source's row."""
    if claim.reading.row_labels is None or statement.reading.row_labels is None:
        return False
    mine = claim.reading.row_labels[index].keys()
    rows = statement.reading.row_labels
    counts = Counter(key for one in rows for key in one)
    shared = {key for key, count in counts.items() if count > 1}
    agreed = {
        number
        for number, one in enumerate(statement.reading.figures)
        if agree(claim.reading.figures[index], claim, statement, one)
    }
    if not agreed or any((rows[number].keys() - shared) & mine for number in agreed):
        return False
    return any(
        (head := rows[number].keys() - shared) and head <= mine
        for number in range(len(rows))
        if number not in agreed
    )


def _dates_of_others(statement: Statement, index: int) -> set[str]:
    """The dates that belong to one other figure alone.

    In "77,280 in 2023, 5.9 % more than in 2022" the last year belongs to 5.9 %; in "95.8 % (June
    2024: 95.1 %)" the date belongs to 95.1 %.
    """
    text, found = statement.reading.text, statement.reading.figures
    others: set[str] = set()
    for number, one in enumerate(found):
        if one.date is None:
            continue
        owner: int | None = None
        if _THAN_DATE.search(text, max(0, one.start - _NEAR_DATE), one.start):
            owner = next((n for n in range(number - 1, -1, -1) if not found[n].date), None)
        elif text[: one.start].endswith("(") and text[one.end :].lstrip().startswith(":"):
            owner = next((n for n in range(number + 1, len(found)) if not found[n].date), None)
        if owner not in {None, index}:
            others.add(f"{one.key}")
    return others


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
    said = [reading.figures[index] for index in (one, two)]
    found = [figure for claimed in said for figure in source.figures if claimed.agrees_with(figure)]
    for trait in ("per", "bound"):
        # "300 a year becomes about 5,000" is not "5,000 a year becomes about 300".
        ours, others = [[getattr(f, trait) for f in pair] for pair in (said, found)]
        if any(ours) and ours == others[::-1] and ours != others:
            return True
    return any(
        mine[first] in _TELLING_ROLES
        and theirs[first] not in {"", mine[first]}
        and theirs[second] == mine[first] != mine[second]
        for first, second in ((0, 1), (1, 0))
    )


def _role(text: str, figure: Figure) -> str:
    if _DIFFERENCE.match(text, figure.end):
        return ""
    words = re.findall(r"[A-Za-z']+", text[max(0, figure.start - 50) : figure.start].lower())
    while words and words[-1] in _BETWEEN:
        words.pop()
    if not words:
        return ""
    last = words[-1]
    if last in {"until", "till", "to", "through"}:
        return "to"
    if last in {"from", "since", "starting"} or words[-2:-1] in (["starts"], ["begins"]):
        return "from"
    return "value" if last in _VALUE else "base" if last in _BASE else ""


def _is_own(weight: float) -> bool:
    """Whether a label is a figure's own, and not shared from before the first of several."""
    return weight >= 1 or 0 < weight <= BETWEEN_WEIGHT


def _dates_of(labels: Mapping[str, float]) -> set[str]:
    return {key for key, weight in labels.items() if key.startswith("date:") and weight >= 1}
