"""Tables in text: their rows and cells, and the unit and scale that a header or caption gives."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from chat.answers.figures import BARE, PERCENT, Figure
from chat.answers.numbers.currencies import CURRENCIES
from chat.answers.quantities import figures

_SEPARATOR: Final = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_ALIGNED: Final = re.compile(r"\S(?:\s{2,}|\t+)(?=\S)")
_SCALE: Final = re.compile(
    r"\b(?P<word>thousand|million|billion|trillion)s?\b|[$\u20ac\u00a3]\s?(?P<letter>[kKmMbB]n?)\b"
    r"|\((?P<zeros>000s?)\)|\b(?P<short>mn|bn)\b",
    re.IGNORECASE,
)
_POWERS: Final = {
    "thousand": 3,
    "million": 6,
    "billion": 9,
    "trillion": 12,
    "k": 3,
    "m": 6,
    "mn": 6,
    "b": 9,
    "bn": 9,
}
_CURRENCY: Final = [
    (re.compile(pattern), code)
    for pattern, code in (
        (r"\bCAD\b|\bC\$", "CAD"), (r"\bAUD\b|\bA\$", "AUD"), (r"\bCHF\b", "CHF"),
        (r"\$|\bUSD\b|\b[Dd]ollars?\b", "USD"), (r"\u20ac|\bEUR\b|\b[Ee]uros?\b", "EUR"),
        (r"\u00a3|\bGBP\b|\b[Pp]ounds\b", "GBP"), (r"\u00a5|\bJPY\b|\b[Yy]en\b", "JPY"),
    )
]  # fmt: skip
_PERCENT: Final = re.compile(r"%|\bper ?cent\b|\bpercentage\b(?! point)", re.IGNORECASE)
_PER_SHARE: Final = re.compile(
    r"\bper (?:common )?share\b|\b[ED]PS\b|\bshares\b|\bratio\b|\bnumber of\b", re.IGNORECASE
)
_TIME: Final = re.compile(r"\(?\b(years|months|days|weeks)\b\)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row, with its offsets in the text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scale:
    """The unit and power of ten that a header or caption gives to bare numbers."""

    unit: str = BARE
    power: int = 0

    def over(self, wider: "Scale") -> "Scale":
        """This scale; what it leaves open comes from the wider one, such as the caption's."""
        if self.unit in {PERCENT, "year", "month", "day", "week"}:
            return self
        return Scale(self.unit or wider.unit, self.power or wider.power)

    def apply(self, figure: Figure) -> Figure:
        """Return a cell's figure with the unit and scale of its header and caption."""
        is_money = figure.unit in CURRENCIES and (self.unit == BARE or self.unit in CURRENCIES)
        if figure.date or figure.unit == PERCENT:
            return figure
        if figure.unit not in {BARE, self.unit} and not is_money:
            return figure
        factor = Decimal(10) ** (0 if figure.power else self.power)
        return replace(
            figure,
            unit=figure.unit or self.unit,
            value=figure.value * factor,
            step=figure.step * factor,
        )


def scale_of(text: str) -> Scale:
    """Return the scale that a header cell, row label or caption names."""
    if any(figure.date is None for figure in figures(text)):
        return Scale()  # "4 %" as a row's label is a value, not the unit of the row's figures.
    if _PERCENT.search(text):
        return Scale(PERCENT)
    if (time := _TIME.search(text)) and "(" in time[0]:
        return Scale(time[1].lower().rstrip("s"))
    unit = next((code for pattern, code in _CURRENCY if pattern.search(text)), BARE)
    power = 0
    if found := _SCALE.search(text):
        name = found["word"] or found["letter"] or found["short"]
        power = _POWERS[name.lower()] if name else 3
    return Scale(unit, power)


def caption_scale(text: str, rows: Sequence[Sequence[Cell]]) -> Scale:
    """Return the scale that a table's caption names, with the currency of the table's cells."""
    scale = scale_of(text)
    return with_currency(Scale() if scale.unit == PERCENT else scale, rows)


def with_currency(scale: Scale, rows: Sequence[Sequence[Cell]]) -> Scale:
    """Return the scale with the table's currency, if its cells have exactly one.

    Financial statements often have the sign in their first and last rows only.
    """
    if scale.unit != BARE:
        return scale
    units = {figure.unit for row in rows for cell in row for figure in figures(cell.text)}
    money = units & CURRENCIES
    return Scale(money.pop(), scale.power) if len(money) == 1 and scale.power else scale


def is_per_unit(label: str) -> bool:
    """Whether a row counts shares or is per share: the caption's scale does not apply to it."""
    return _PER_SHARE.search(label) is not None


def is_separator(line: str) -> bool:
    """Whether a line is the rule below a table's header."""
    return "-" in line and _SEPARATOR.fullmatch(line) is not None


def cells(line: str, offset: int = 0) -> list[Cell]:
    """Return the cells of a line; fewer than two if it is no row of a table."""
    if "|" in line:
        pieces: list[Cell] = []
        start = 0
        for position, mark in enumerate(line + "|"):
            if mark == "|" and line[max(position - 1, 0) : position] != "\\":
                pieces.append(_cell(line, start, position, offset))
                start = position + 1
        if pieces and not pieces[0].text and line.lstrip().startswith("|"):
            pieces = pieces[1:]
        if pieces and not pieces[-1].text and line.rstrip().endswith("|"):
            pieces = pieces[:-1]
        return pieces
    gaps = [match.start() + 1 for match in _ALIGNED.finditer(line)]
    if not gaps:
        return []
    bounds = [0, *gaps, len(line)]
    return [_cell(line, one, two, offset) for one, two in itertools.pairwise(bounds)]


def _cell(line: str, start: int, end: int, offset: int) -> Cell:
    text = line[start:end]
    lead = len(text) - len(text.lstrip())
    stripped = text.strip()
    return Cell(stripped, offset + start + lead, offset + start + lead + len(stripped))


def is_row(line: str) -> bool:
    """Whether a line of a document looks like a row of a table."""
    found = cells(line)
    if len(found) < 2:
        return False
    if line.lstrip().startswith("|") or line.count("|") >= 2:
        return True
    if "|" in line:
        return len(found) >= 2 and all(len(cell.text) < 60 for cell in found)
    return "\t" in line or sum(any(c.isdigit() for c in cell.text) for cell in found[1:]) > 0


def is_header(row: Sequence[Cell]) -> bool:
    """Whether a row contains column names: no amounts, but perhaps years."""
    rest = row[1:] or row
    return all(
        figure.date is not None or figure.unit.startswith(("year", "month", "day", "ordinal"))
        for cell in rest
        for figure in figures(cell.text, in_table=True)
    ) and any(cell.text for cell in rest)
