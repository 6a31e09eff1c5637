"""Tables of a PDF's page, found by where the pieces of its lines are.

PDF has no tables: a cell is text that is placed below other text. Rows are pieces at one height;
columns are the strips that pieces share in most rows. Text in two columns looks alike, so that a
table must also have numbers, or at least three columns of short texts.
"""

import itertools
import re
from collections.abc import Sequence
from typing import Final

from runner.pdf_layout.lines import Line, Piece
from runner.tables import LONGEST_HEADER, is_number, markdown_table

_MOST_PIECES: Final = 5000
_SAME_ROW: Final = 0.5  # in heights of a piece
_ROW_GAP: Final = 2.2
_MOST_LABELS: Final = 3  # rows of one cell that follow each other inside a table
_FEWEST_ROWS: Final = 3
_STRAY: Final = 0.12  # a strip that fewer rows share separates two columns
_NUMBERS: Final = 0.5
_SHORT: Final = 28
_LONGEST: Final = 120
_MOST_HEADERS: Final = 8
_MOST_SHARED: Final = 0.34
_MOST_COLUMNS: Final = 40
_LONGEST_NAME: Final = 60
_NO_VALUE: Final = re.compile(
    r"n\.?/?a\.?|nil|none|\u2026|\.{2,3}|[-\u2013\u2014*x]", re.IGNORECASE
)
_YEAR: Final = re.compile(r"(?:FY ?)?(?:19|20)\d\d(?:[-/\u2013]\d{2,4})?")
_CURRENCY: Final = re.compile(r"[-(]?(?:[$\u20ac\u00a3\u00a5]|[A-Z]{3})")

type Row = list[Piece]


def lines_with_tables(lines: Sequence[Line]) -> list[Line]:
    """Return the lines; those of a table are replaced by the table's rows, which have no places."""
    pieces = [piece for line in lines for piece in line.pieces]
    if not 2 * _FEWEST_ROWS <= len(pieces) <= _MOST_PIECES:
        return [*lines]
    tables: dict[int, list[str]] = {}
    for region in _regions(_rows(pieces)):
        if made := _table(region):
            tables |= dict.fromkeys((id(piece) for row in made[0] for piece in row), made[1])
    found: list[Line] = []
    shown: set[int] = set()
    for line in lines:
        outside: list[str] = []
        for piece in line.pieces:
            table = tables.get(id(piece))
            if table is None:
                outside.append(piece.text)
            elif id(table) not in shown:
                shown.add(id(table))
                found += map(Line, ["", *table, ""])
        if len(outside) == len(line.pieces):
            found.append(line)
        elif outside:
            found.append(Line(" ".join(outside)))
    return found


def _rows(pieces: Sequence[Piece]) -> list[Row]:
    """Return the pieces from the top down, those at one height together and from left to right."""
    rows: list[Row] = []
    for piece in sorted(pieces, key=lambda one: -one.middle):
        last = rows[-1][0] if rows else None
        if last and abs(last.middle - piece.middle) < _SAME_ROW * min(last.height, piece.height):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    for row in rows:
        row.sort(key=lambda one: one.left)
    return rows


def _regions(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the runs of rows that may be a table: close to each other, most of several pieces."""
    regions: list[list[Row]] = [[]]
    labels = 0
    for row in rows:
        labels = 0 if len(row) > 1 else labels + 1
        before = regions[-1][-1] if regions[-1] else row
        gap = before[0].bottom - row[0].top
        if gap > _ROW_GAP * row[0].height or labels > _MOST_LABELS:
            regions.append([])
        regions[-1].append(row)
    return regions


def _table(region: list[Row]) -> tuple[list[Row], list[str]] | None:
    """Return the rows of a table and its lines, or None if the region is no table."""
    body = [place for place, row in enumerate(region) if len(row) > 2 or _has_value(row)]
    if len(body) < _FEWEST_ROWS:
        return None
    columns = _columns([region[place] for place in body])
    if not 2 <= len(columns) <= _MOST_COLUMNS:
        return None
    # Columns that are too wide for the rows are those of something else.
    crowded = sum(len(_joined(region[place])) > len(columns) for place in body)
    if crowded > len(body) * _MOST_SHARED:
        return None
    # Rows of one piece below the last values are notes, and those above the names a caption.
    first, last = body[0], body[-1] + 1
    names = [*itertools.takewhile(lambda row: _may_name(row, columns), region[:first][::-1])]
    while names and len(names[-1]) == 1 and _overlap(names[-1][0], columns[0]) > 0:
        names.pop()
    rows = [*names[:_MOST_HEADERS][::-1], *region[first:last]]
    cells = [_cells(_joined(row), columns) for row in rows]
    if not _is_table(cells):
        return None
    headers = _headers(cells)
    named = [_spread(row, columns) for row in rows[:headers]]
    # What stands above the names of the columns may be a caption: leave it out if it is long.
    while headers > 1 and sum(len(name) + 3 for row in named for name in row) > LONGEST_HEADER:
        named, cells, rows = named[1:], cells[1:], rows[1:]
        headers -= 1
    return rows, markdown_table([*named, *cells[headers:]], headers)


def _may_name(row: Row, columns: Sequence[tuple[int, int]]) -> bool:
    """Return whether a row above the values may name columns: it is no sentence over them all."""
    return all(
        len(piece.text) <= _LONGEST_NAME
        and sum(_overlap(piece, column) > 0 for column in columns) <= max(1, len(columns) * 0.6)
        for piece in row
    )


def _columns(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Return the left and right ends of the strips that the pieces of the rows share."""
    joined = [_joined(row) for row in rows]
    left = int(min(piece.left for row in joined for piece in row))
    right = int(max(piece.right for row in joined for piece in row)) + 1
    if right - left > 20_000:
        return []
    shared = [0] * (right - left + 2)
    for row in joined:
        for piece in row:
            shared[int(piece.left) - left] += 1
            shared[max(int(piece.right), int(piece.left)) - left + 1] -= 1
    least = len(rows) * _STRAY
    columns: list[tuple[int, int]] = []
    for place, count in enumerate(itertools.accumulate(shared)):
        if count > least:
            is_next = columns and columns[-1][1] == place + left - 1
            first = columns.pop()[0] if is_next else place + left
            columns.append((first, place + left))
    return columns


def _joined(row: Row) -> Row:
    """Return a row whose signs of currency and percent belong to the number beside them."""
    joined: Row = []
    for piece in row:
        before = joined[-1] if joined else None
        if before and (_CURRENCY.fullmatch(before.text) or piece.text in {"%", ")", ")%"}):
            joined[-1] = Piece(
                before.text + piece.text, before.left, piece.right, piece.bottom, piece.top
            )
        else:
            joined.append(piece)
    return joined


def _cells(row: Row, columns: Sequence[tuple[int, int]]) -> list[str]:
    """Return the text of each column; a piece belongs to the column that it shares most with."""
    cells = [""] * len(columns)
    for piece in row:
        place = max(range(len(columns)), key=lambda one: _overlap(piece, columns[one]))
        cells[place] = f"{cells[place]} {piece.text}".strip()
    return cells


def _spread(row: Row, columns: Sequence[tuple[int, int]]) -> list[str]:
    """Return the texts of a header: a piece is in each column below it."""
    cells = _cells(row, columns)
    for piece in row:
        for place, column in enumerate(columns):
            if not cells[place] and _overlap(piece, column) > 0:
                cells[place] = piece.text
    return cells


def _overlap(piece: Piece, column: tuple[int, int]) -> float:
    return min(piece.right, column[1]) - max(piece.left, column[0])


def _has_value(row: Row) -> bool:
    return any(_is_value(piece.text) for piece in row[1:])


def _is_value(text: str) -> bool:
    """Return whether a cell has a number, perhaps with a mark of a note, or says there is none."""
    return is_number(text.rstrip("*\u2020\u2021 ")) or _NO_VALUE.fullmatch(text) is not None


def _is_table(rows: Sequence[Sequence[str]]) -> bool:
    full = [row for row in rows if sum(map(bool, row)) > 1]
    texts = [cell for row in full for cell in row if cell]
    values = [cell for row in full for cell in row[1:] if cell]
    if len(full) < _FEWEST_ROWS or not values or max(map(len, texts)) > _LONGEST:
        return False
    if sum(map(_is_value, values)) >= len(values) * _NUMBERS:
        return True
    most = sum(sum(map(bool, row)) > 2 for row in full)
    return most * 2 > len(full) and sum(map(len, texts)) <= len(texts) * _SHORT


def _headers(rows: Sequence[Sequence[str]]) -> int:
    """Return how many rows name the columns: those above the first row with numbers."""
    headers = 0
    for row in rows[: _MOST_HEADERS + 1]:
        if any(_is_value(cell) and not _YEAR.fullmatch(cell) for cell in row[1:]):
            break
        if headers and row[0] and not any(row[1:]):
            break
        headers += 1
    return 1 if headers > _MOST_HEADERS or headers == len(rows) else headers
