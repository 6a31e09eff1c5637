"""Figures that share a unit or scale with a neighbour, and the two ends of a range."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from chat.answers.dates import Date
from chat.answers.figures import BARE, BASIS_POINTS, DATE, FRACTION, PERCENT, POINTS, Figure
from chat.answers.numbers.bounds import preposition_before
from chat.answers.numbers.currencies import CURRENCIES, SYMBOLS
from chat.answers.numbers.token_run import TokenRun

_ELIDED: Final = frozenset({PERCENT, POINTS, BASIS_POINTS, "year", "month", "week", "day"})
_RANGE_JOINTS: Final = {
    "to",
    "-",
    "\u2013",
    "\u2014",
    "\u2010",
    "\u2011",
    "\u2212",
    "through",
    "until",
}


def share_earlier_units(
    run: TokenRun, figures: list[Figure], places: list[tuple[int, int]]
) -> list[Figure]:
    """Give a number without a unit the unit of an earlier one: "in twelve years, or in eight".

    `places` has the first token of each figure and the token after it.
    """
    for index, figure in enumerate(figures):
        ends = run.word(places[index][1]) in {"", ".", ",", ";", ")"}
        if figure.unit == BARE and figure.power:
            # "To 96 million euros from 103 million".
            money = [one for one in figures[:index] if one.power == figure.power]
            if money and money[-1].unit in CURRENCIES:
                figures[index] = replace(figure, unit=money[-1].unit)
                continue
        if figure.unit != BARE or not ends:
            continue
        preposition = preposition_before(run, places[index][0])
        for earlier in range(index):
            alike = preposition_before(run, places[earlier][0]) == preposition and (
                preposition or "about" == figure.bound == figures[earlier].bound
            )
            if alike and figures[earlier].unit in _ELIDED:
                figures[index] = replace(figure, unit=figures[earlier].unit)
    return figures


def join_ranges(
    run: TokenRun, figures: list[Figure], places: list[tuple[int, int]]
) -> list[Figure]:
    """Mark the ends of "3 to 5 %" and of "from 3 to 5 %", and share unit and scale."""
    for index in range(len(figures) - 2, -1, -1):
        left, right = figures[index], figures[index + 1]
        between = run.tokens[places[index][1] : places[index + 1][0]]
        joint = [token.lowered for token in between]
        if len(joint) == 2 and joint[0] == "," and joint[1] in {"and", "or"}:
            joint = joint[1:]
        if len(joint) != 1 and not (not joint and right.value < 0 and not right.date):
            continue
        before = run.word(places[index][0] - 1)
        if before in {"age", "ages", "aged", "about", "roughly", "the"}:
            before = run.word(places[index][0] - 2)
        if not joint:
            # The sign in "3-5" touches its number: it was read as 3 and -5.
            if not run.adjacent(places[index + 1][0]):
                continue
            right = replace(right, value=-right.value)
            word = "-"
        else:
            word = joint[0]
        is_range = word in _RANGE_JOINTS or (word == "and" and before == "between")
        if not is_range and word not in {"or", "and", ","}:
            continue
        left = _shared_unit(run, left, right, loose=not is_range)
        if is_range and (right.unit in (left.unit, BARE)):
            if right.unit == BARE and left.unit not in {BARE, DATE} and not right.date:
                right = replace(right, unit=left.unit)
            low, high = ("from", "to") if before == "from" else ("low", "high")
            bound = left.bound or right.bound
            left = replace(left, end_of=low, bound=bound)
            right = replace(right, end_of=high, bound=bound)
        figures[index], figures[index + 1] = left, right
    return figures


def _shared_unit(run: TokenRun, left: Figure, right: Figure, *, loose: bool) -> Figure:
    """Give the left number the unit and scale of the right one: "3 to 3.5 million"."""
    if right.date or right.unit.startswith("ordinal") or (right.unit in {"ratio", FRACTION}):
        return left
    is_year = left.date is not None and left.key.endswith(f":{Date(left.date.year)}")
    trails = run.text[right.start] not in SYMBOLS
    if is_year and left.date and not loose and trails and right.unit not in {BARE, DATE}:
        value = Decimal(left.date.year)
        left = replace(left, date=None, value=value, step=Decimal(1), unit=BARE)
    if left.date or (loose and not trails):
        return left  # "2,000 at 65 and $2,700 at 70" does not mean 65 dollars.
    if left.unit == BARE:
        left = replace(left, unit=right.unit, per=left.per or right.per)
    same = right.unit in {left.unit, BARE}
    if same and right.power and not left.power and left.value < 1000:
        scale = Decimal(10) ** right.power
        left = replace(left, value=left.value * scale, step=left.step * scale)
    return left
