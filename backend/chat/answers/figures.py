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
# The error that rounding may add: "about ten" may be 9.6, but not six.
_ROUNDING: Final = Decimal("0.06")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a text.

    `step` is the value of one in the last digit shown. `end_of` is "low" or "high" for the ends
    of a range, "from" or "to" for a change, else "". `power` is the power of ten of the scale
    word, such as 6 for "3 million".
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
        """The unit and value as text; equal for equal figures."""
        return f"{self.unit}:{self.date or self.value.normalize()}"

    def agrees_with(self, source: "Figure") -> bool:
        """Whether a figure of a source proves this one."""
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
    # "Retires at 45" is an age without the word; "half" is 50 per cent.
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
    # One end of a range alone does not agree, unless the claim names it as a bound.
    if source.end_of == "low":
        return mine.bound in {"least", "over"} or (mine.bound == "under" and not same)
    return mine.bound in {"most", "under"} or (mine.bound == "over" and not same)


def _bounds_agree(mine: Figure, source: Figure, value: Decimal, theirs: Decimal) -> bool:  # noqa: PLR0911
    same = value == theirs
    bound, source_bound = mine.bound, source.bound
    if bound == "during" or source_bound == "during":
        return same and {bound, source_bound} <= {"during", "", "over", "least", "about"}
    if bound in {"", "about"}:
        if source_bound in {"over", "under"}:
            return False
        return same or (bound == "about" and _rounded(theirs, mine) == value)
    if bound == "nearly":
        if same:
            return source_bound in {"nearly", "about", "under", "most"}
        return (
            theirs < value
            and _rounded(theirs, mine) == value
            and source_bound not in {"over", "least"}
        )
    if bound == "over":
        if source_bound in {"under", "most", "nearly"}:
            return False
        if mine.end_of or source_bound == "over":
            return same
        return value < theirs and _to_step(theirs, mine, ROUND_FLOOR) == value
    if bound == "under":
        if source_bound in {"over", "least"}:
            return False
        if mine.end_of or source_bound in {"under", "nearly"}:
            return same
        return value > theirs and _to_step(theirs, mine, ROUND_CEILING) == value
    opposite = {"least": {"most", "under", "nearly"}, "most": {"least", "over"}}[bound]
    return same and source_bound not in opposite | {"over", "under"}


def _rounded(value: Decimal, shown: Figure) -> Decimal | None:
    """Round to the digits that a figure shows; None if rounding changes the value too much."""
    rounded = _to_step(value, shown, ROUND_HALF_UP)
    return rounded if abs(rounded - value) <= abs(value) * _ROUNDING else None


def _to_step(value: Decimal, shown: Figure, rounding: str) -> Decimal:
    """Round to the digits that a figure shows."""
    step = shown.step * 100 if shown.unit == FRACTION else shown.step
    return (value / step).quantize(Decimal(1), rounding) * step
