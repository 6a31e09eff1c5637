"""The rows of a table in HTML."""

import itertools
from typing import TYPE_CHECKING, Final

from runner.tables import is_number, markdown_table, name_rows

if TYPE_CHECKING:
    from bs4 import Tag

_LONGEST_CELL: Final = 400  # a table with a longer cell lays out a page
_MOST_CELLS: Final = 50_000
_MOST_SPAN: Final = 50


def table_of(table: "Tag", *, first_row_names: bool = False) -> list[str]:
    """Return the lines of a table of data; none if the table lays out a page.

    A cell that spans columns is in each of them, a cell that spans rows in each row. Without a
    marked header, the first row names the columns if it looks so and there are numbers below it, or
    `first_row_names`.
    """
    if table.get("role") in {"presentation", "none"} or _is_nested(table):
        return []
    rows: list[list[str]] = []
    headers = 0
    spans: dict[int, tuple[str, int]] = {}
    cells = 0
    for row in table.find_all("tr"):
        found = row.find_all(["td", "th"], recursive=False)
        cells += len(found)
        texts = _row(found, spans)
        if cells > _MOST_CELLS or any(len(text) > _LONGEST_CELL for text in texts):
            return []
        in_head = row.parent is not None and row.parent.name == "thead"
        names_columns = in_head or all(cell.name == "th" for cell in found)
        if found and names_columns and headers == len(rows):
            headers += 1
        rows.append(texts)
    if max((len(row) for row in rows), default=0) < 2 or len(rows) < 2:
        return []
    if not headers and (first_row_names or any(map(is_number, itertools.chain(*rows[1:])))):
        headers = name_rows(rows)
    caption = table.caption.get_text(" ", strip=True) if table.caption else ""
    lines = markdown_table(rows, headers)
    return [" ".join(caption.split()), "", *lines] if caption else lines


def _is_nested(table: "Tag") -> bool:
    """Return whether there is a table in a table.

    Not by `find`, which visits everything below before it returns the first: on tables nested in
    tables that takes quadratic time.
    """
    return any(getattr(node, "name", None) == "table" for node in table.descendants)


def _row(cells: "list[Tag]", spans: dict[int, tuple[str, int]]) -> list[str]:
    """Return the texts of a row. `spans`: the text and the rows left of each spanned column."""
    texts: list[str] = []
    pending = list(cells)
    while pending or len(texts) in spans:
        column = len(texts)
        if column in spans:
            text, left = spans.pop(column)
            if left > 1:
                spans[column] = text, left - 1
            texts.append(text)
            continue
        cell = pending.pop(0)
        text = " ".join(cell.get_text(" ").split())
        for _ in range(_span(cell, "colspan")):
            if (rows := _span(cell, "rowspan")) > 1:
                spans[len(texts)] = text, rows - 1
            texts.append(text)
    return texts


def _span(cell: "Tag", name: str) -> int:
    value = str(cell.get(name, "1"))
    return (
        min(max(int(value), 1), _MOST_SPAN)
        if value.isascii() and value.isdigit() and len(value) < 4
        else 1
    )
