"""Whether a claim compares its own figures correctly: which one is more, and what rose."""

import itertools
import re
from dataclasses import replace
from typing import Final

from chat.answers.dates import Date
from chat.answers.figures import Figure
from chat.answers.passages import Statement
from chat.answers.reading import Reading

_LESS: Final = re.compile(
    r"\b(?:lower|less|cheaper|smaller|fewer|shorter|below|behind|under|lags?|lagged|trail\w*|"
    r"worse|weaker|underperform\w*)\b",
    re.IGNORECASE,
)
_MORE: Final = re.compile(
    r"\b(?:higher|more|dearer|costlier|larger|bigger|greater|longer|above|ahead|over|beats?|better|"
    r"stronger|outperform\w*)\b",
    re.IGNORECASE,
)
_FELL: Final = re.compile(
    r"\b(?:f[ae]ll\w*|drop\w*|declin\w*|decreas\w*|down|reduc\w*|lowered|slipped|shr[aiu]nk\w*|"
    r"worsen\w*|cut)\b",
    re.IGNORECASE,
)
_ROSE: Final = re.compile(
    r"\b(?:ris\w*|rose|grew|grow\w*|increas\w*|climb\w*|up|rais\w*|improv\w*|gain\w*|went up)\b",
    re.IGNORECASE,
)
_BESIDE: Final = re.compile(
    r"\b(?:versus|vs|compared|against|rather than|than|instead of|from|to|up from|down from|but|"
    r"while|whereas|and)\b",
    re.IGNORECASE,
)


def comparisons_right(reading: Reading) -> bool:
    """Return whether the words that compare two figures agree with their order.

    Also False if the words compare, but not clearly two figures of the text.
    """
    text = reading.text
    less, more = _LESS.search(text), _MORE.search(text)
    fell, rose = _FELL.search(text), _ROSE.search(text)
    if not (less or more or fell or rose):
        return True
    if (less and more) or (fell and rose):
        return False
    pairs = [
        (one, two)
        for one, two in itertools.combinations(reading.figures, 2)
        if one.unit == two.unit and not one.date and _BESIDE.search(text, one.end, two.start)
    ]
    if not pairs:
        return False
    one, two = pairs[0]
    if fell or rose:
        first_is_now = re.search(r"\bfrom\W+\Z", text[: two.start]) is not None
        before, after = (two, one) if first_is_now else (one, two)
        return (after.value > before.value) == bool(rose)
    return (one.value < two.value) == bool(less)


def changes_agree(claim: Reading, statement: Statement) -> bool:
    """Return whether "from 790 to 842" gives the figure of the earlier column first."""
    ends = [figure for figure in claim.figures if figure.end_of in {"from", "to"}]
    if len(ends) != 2 or not statement.reading.is_row:
        return True
    first, second = (_dates_of(figure, statement) for figure in ends)
    return not (first and second) or min(map(_order, first)) < max(map(_order, second))


def _dates_of(figure: Figure, statement: Statement) -> list[Date]:
    """The dates of the columns in which a row has a figure."""
    labels = statement.reading.row_labels or ()
    keys = {
        key
        for one, around in zip(statement.reading.figures, labels, strict=False)
        if figure.agrees_with(replace(one, unit=figure.unit))
        for key in around
    }
    return [one.date for one in statement.column_figures if one.date and one.key in keys]


def _order(date: Date) -> tuple[int, int, int, int]:
    return date.year, date.quarter, date.month, date.day
