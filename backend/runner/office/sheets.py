"""Text of Excel workbooks: each sheet is a page of tables."""

import itertools
import re
import warnings
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from runner.office.archive import OfficeArchive, translate_errors
from runner.office.layout import SheetLayout
from runner.office.numbers import shown
from runner.tables import markdown_table, name_rows
from runner.text import NO_TEXT, ExtractionError, clean
from runner.titles import title_of

if TYPE_CHECKING:
    from openpyxl import Workbook  # type: ignore[import-untyped]

MAX_SHEETS: Final = 1000
MAX_SHEET_CHARACTERS: Final = 5 * 2**20

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_UNNAMED: Final = re.compile(r"(sheet|tabelle|feuil|hoja|foglio|blad|table)\s*\d*", re.IGNORECASE)


class SheetsText:
    """The text of a workbook; its sections are the sheets, in their order.

    Values are those that Excel calculated last, shown as their cells show them. Hidden sheets are
    empty; hidden rows and columns are left out.

    Raises:
        ExtractionError: The workbook is damaged, or none of its sheets can be seen.
    """

    paged = True

    def __init__(self, archive: OfficeArchive) -> None:
        self._archive = archive
        self._sheets = translate_errors(lambda: [*_sheets(archive)])
        if len(self._sheets) > MAX_SHEETS:
            raise ExtractionError(f"it has {len(self._sheets):,} sheets: split it")
        if not any(is_visible for _, _, is_visible in self._sheets):
            raise ExtractionError(NO_TEXT)
        self._workbook = translate_errors(lambda: _open(archive.content))
        self.title = title_of(archive.title())
        self._last = -1, ""

    def __len__(self) -> int:
        return len(self._sheets)

    def section(self, index: int) -> str:
        # A long sheet is read once for all of its parts.
        if self._last[0] != index:
            self._last = index, self._section(index)
        return self._last[1]

    def _section(self, index: int) -> str:
        name, part, is_visible = self._sheets[index]
        if not is_visible:
            return ""
        layout = SheetLayout(self._archive.read(part))
        # A damaged workbook may list a sheet that its reader does not have.
        sheet = translate_errors(lambda: self._workbook[name])
        lines: list[str] = []
        for block in _blocks(translate_errors(lambda: _rows(sheet, layout))):
            lines += [*_block_lines(block), ""]
        if lines and not _UNNAMED.fullmatch(name):
            lines = [f"# {name}", "", *lines]
        return clean("\n".join(lines))


def _sheets(archive: OfficeArchive) -> Iterator[tuple[str, str, bool]]:
    """Yield the name, the part and the visibility of each sheet of cells."""
    for one, part, kind in archive.listed(f"{_MAIN}sheet"):
        if kind == "worksheet":
            yield one.get("name", ""), part, one.get("state", "visible") == "visible"


def _open(content: bytes) -> "Workbook":
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of features that it does not read
        return openpyxl.load_workbook(
            BytesIO(content), read_only=True, data_only=True, keep_links=False
        )


def _rows(sheet: Any, layout: SheetLayout) -> list[list[str]]:
    """Return the visible cells of each visible row, from the first column on."""
    sheet.reset_dimensions()  # as stored they may be wrong, and padding to them exhausts memory
    rows: list[list[str]] = []
    characters = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            if number in layout.hidden_rows:
                continue
            texts = [
                shown(cell.value, cell.number_format) if cell.value is not None else ""
                for cell in cells
            ]
            texts = layout.spread(number, texts)
            while texts and not texts[-1]:
                texts.pop()
            rows.append(texts)
            characters += sum(map(len, texts))
            if characters > MAX_SHEET_CHARACTERS:
                raise ExtractionError(
                    f"the sheet has over {MAX_SHEET_CHARACTERS:,} characters: split it"
                )
    return rows


def _blocks(rows: Sequence[list[str]]) -> Iterator[list[list[str]]]:
    """Yield the rows between empty rows."""
    for is_filled, block in itertools.groupby(rows, key=bool):
        if is_filled:
            yield [*block]


def _block_lines(block: list[list[str]]) -> list[str]:
    """Return the lines of a block: those above its table, and the table."""
    lines: list[str] = []
    filled = {place for row in block for place, cell in enumerate(row) if cell}
    rows = [[row[place] if place < len(row) else "" for place in sorted(filled)] for row in block]
    while rows and len([cell for cell in rows[0] if cell]) == 1:
        lines.append("".join(rows.pop(0)))
    if lines and rows:
        lines.append("")
    return [*lines, *markdown_table(rows, name_rows(rows))]
