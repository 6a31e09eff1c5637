"""A figure, and when a claim's figure agrees with a source's."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

from chat.answers.dates import Date

PERCENT: Final = "percent"
POINTS: Final = "percentage point"
BASIS_POINTS: Final = "basis point"
FRACTION: Final = "fraction"
DATE: Final = "date"
AGE: Final = "age"
BUSINESS_DAY: Final = "business day"
BARE: Final = ""


_PERIODS: Final = frozenset({"year", "quarter", "month", "week", "day", "hour"})
_NAMED_RATES: Final = frozenset({"share", "person", "employee", "household"})

_OLDEST: Final = 130
# "About ten" is no rounding of six.
_ROUNDING: Final = Decimal("0.06")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a text.

    `step` is the value of one in the last digit shown. `end_of` is "low" or "high" for the ends
    of a range, "from" or "to" for a change, else "". `power` is that of the scale word, such as 6
    for "3 million".
    """

    start: int
    end: int
    value: Decimal
    unit: str
    step: Decimal = Decimal(1)
    bound: str = ""
    end_of: str = ""
    per: str = ""
    date: Date | None = None
    power: int = 0

    @property
    def key(self) -> str:
        """What two figures share that say the same."""
        return f"{self.unit}:{self.date or self.value.normalize()}"

    def agrees_with(self, source: "Figure") -> bool:
        """Whether a source that has `source` says this figure."""
        if self.date or source.date:
            return bool(self.date and source.date and self.date.agrees_with(source.date))
        if not _same_unit(self, source):
            return False
        if not _rates_agree(self.per, source.per):
            return False
        mine, theirs = _comparable(self), _comparable(source)
        return _ends_agree(self, source, mine == theirs) and _bounds_agree(
            self, source, mine, theirs
        )


def _same_unit(one: Figure, other: Figure) -> bool:
    if one.unit == other.unit:
        return True
    units = {one.unit, other.unit}
    # "Retires at 45" is an age though nothing says so; "half" is 50 per cent.
    if units == {AGE, BARE}:
        return abs(one.value) < _OLDEST
    return units in ({FRACTION, PERCENT}, {AGE, "year"})


def _rates_agree(one: str, other: str) -> bool:
    """Whether amounts may be per the same thing: a depositor may be called a customer."""
    if not (one and other) or one == other:
        return True
    return not (_PERIODS & {one, other} or {one, other} <= _NAMED_RATES)


def _comparable(figure: Figure) -> Decimal:
    return figure.value * 100 if figure.unit == FRACTION else figure.value


def _ends_agree(mine: Figure, source: Figure, same: bool) -> bool:
    if (mine.bound, source.end_of) in {("most", "from"), ("least", "to")}:
        return False
    if source.end_of in {"", "from", "to"} or mine.end_of:
        lower = {"low", "from"}
        if mine.end_of and source.end_of:
            return (mine.end_of in lower) == (source.end_of in lower)
        return True
    # One end of a range is less than the source says, unless it is named as an end.
    if source.end_of == "low":
        return mine.bound in {"least", "over"} or (mine.bound == "under" and not same)
    return mine.bound in {"most", "under"} or (mine.bound == "over" and not same)


def _bounds_agree(mine: Figure, source: Figure, value: Decimal, theirs: Decimal) -> bool:  # noqa: PLR0911
    same = value == theirs
    said, found = mine.bound, source.bound
    if said == "during" or found == "during":
        return same and {said, found} <= {"during", "", "over", "least", "about"}
    if said in {"", "about"}:
        if found in {"over", "under"}:
            return False
        return same or (said == "about" and _rounded(theirs, mine) == value)
    if said == "nearly":
        if same:
            return found in {"nearly", "about", "under", "most"}
        return theirs < value and _rounded(theirs, mine) == value and found not in {"over", "least"}
    if said == "over":
        if found in {"under", "most", "nearly"}:
            return False
        if mine.end_of or found == "over":
            return same
        return value < theirs and _to_step(theirs, mine, ROUND_FLOOR) == value
    if said == "under":
        if found in {"over", "least"}:
            return False
        if mine.end_of or found in {"under", "nearly"}:
            return same
        return value > theirs and _to_step(theirs, mine, ROUND_CEILING) == value
    opposite = {"least": {"most", "under", "nearly"}, "most": {"least", "over"}}[said]
    return same and found not in opposite | {"over", "under"}


def _rounded(value: Decimal, shown: Figure) -> Decimal | None:
    """The value in the digits that a figure shows; None where these show too little of it."""
    rounded = _to_step(value, shown, ROUND_HALF_UP)
    return rounded if abs(rounded - value) <= abs(value) * _ROUNDING else None


def _to_step(value: Decimal, shown: Figure, rounding: str) -> Decimal:
    """Round to the digits that a figure shows."""
    step = shown.step * 100 if shown.unit == FRACTION else shown.step
    return (value / step).quantize(Decimal(1), rounding) * step
