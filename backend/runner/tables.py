"""Tables as tables of Markdown, which passages and the checks of answers understand."""

import re
from collections.abc import Sequence
from typing import Final

LONGEST_HEADER: Final = 280
"""Passages repeat a header only if it takes at most a quarter of them."""

_LONGEST_NAME: Final = 80
_YEAR: Final = re.compile(r"(19|20)\d\d")
_NUMBER: Final = re.compile(
    r"[-+(\u2212]*[A-Z]{0,3}[$\u20ac\u00a3\u00a5]?\s*[-+(\u2212]*\d[\d.,\s'\u2019]*\s*[%)$\u20ac\u00a3\u00a5bpx]*"
    r"|[-\u2013\u2014]"
)


def markdown_table(rows: Sequence[Sequence[str]], headers: int) -> list[str]:
    """Return the lines of a table, one for each row.

    If the names of the columns are too long to be repeated above each passage, each cell has the
    name of its column instead.

    Args:
        rows: The cells of each row, each on one line.
        headers: How many of the first rows name the columns. If none does, the rows are lines with
            bars between the cells, because every table of Markdown has a header.
    """
    width = max((len(row) for row in rows), default=0)
    if not headers or len(rows) <= headers:
        return [" | ".join(filter(None, row)) for row in rows if any(row)]
    names = [_name(rows[:headers], column) for column in range(width)]
    body = [row for row in rows[headers:] if any(row)]
    header = _line(names, width)
    if len(header) > LONGEST_HEADER:
        return [_named(row, names) for row in body]
    return [header, _line(["---"] * width, width), *(_line(row, width) for row in body)]


def name_rows(rows: Sequence[Sequence[str]]) -> int:
    """Return how many of the first rows seem to name the columns: one or none.

    Names are short, different from each other, and no numbers except years.
    """
    if len(rows) < 2:
        return 0
    names = [cell for cell in rows[0] if cell]
    is_header = (
        len(names) > 1
        and len({*names}) == len(names)
        and all(len(name) <= _LONGEST_NAME for name in names)
        and not any(is_number(name) and not _YEAR.fullmatch(name) for name in names)
        and not all(map(_YEAR.fullmatch, rows[1]))
    )
    return int(is_header)


def is_number(text: str) -> bool:
    """Return whether a cell has a number, an amount or a percentage, and nothing else."""
    return _NUMBER.fullmatch(text) is not None


def _name(rows: Sequence[Sequence[str]], column: int) -> str:
    """Return a column's name: the different cells of the header rows, from the top down."""
    cells = (row[column] for row in rows if column < len(row))
    return " ".join(dict.fromkeys(filter(None, cells)))


def _named(row: Sequence[str], names: Sequence[str]) -> str:
    return " | ".join(
        f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=False) if cell
    )


def _line(cells: Sequence[str], width: int) -> str:
    escaped = [cell.replace("|", "\\|") for cell in [*cells, *[""] * (width - len(cells))]]
    return f"| {' | '.join(escaped)} |"
