"""What hides and merges cells in a worksheet, which openpyxl does not read in streams."""

import re
from typing import Final
from xml.parsers import expat

from runner.office.archive import translate_errors
from runner.office.truth import is_true

_MARKS: Final = re.compile(rb"""hidden\s*=|mergeCell\s""")
_MOST_MERGES: Final = 10_000
_MOST_COLUMNS: Final = 16_384
_LONGEST_MERGE: Final = 200
_RANGE: Final = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})")


class SheetLayout:
    """The hidden rows and columns and the merged cells of a sheet.

    Args:
        content: The worksheet's XML.

    Raises:
        ExtractionError: It is damaged.
    """

    def __init__(self, content: bytes) -> None:
        self.hidden_rows: set[int] = set()
        self._hidden_columns: set[int] = set()
        # The columns that the merged cell of a row's column spans.
        self._merges: dict[int, list[tuple[int, int]]] = {}
        self._row = 0
        self._count = 0
        if _MARKS.search(content):
            parser = expat.ParserCreate()
            parser.StartElementHandler = self._start
            translate_errors(lambda: parser.Parse(content, True))

    def spread(self, row: int, texts: list[str]) -> list[str]:
        """Return the visible cells of a row; a merged cell is in each column that it spans."""
        for first, last in self._merges.get(row, ()):
            if first < len(texts) and texts[first]:
                texts += [""] * (last + 1 - len(texts))
                texts[first + 1 : last + 1] = [texts[first]] * (last - first)
        if not self._hidden_columns:
            return texts
        return [text for place, text in enumerate(texts) if place not in self._hidden_columns]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._row = int(attributes.get("r", self._row + 1))
                if _is_hidden(attributes):
                    self.hidden_rows.add(self._row)
            case "col" if _is_hidden(attributes):
                last = min(int(attributes["max"]), _MOST_COLUMNS)
                self._hidden_columns.update(range(int(attributes["min"]) - 1, last))
            case "mergeCell" if self._count < _MOST_MERGES:
                self._count += 1
                self._merge(attributes.get("ref", ""))

    def _merge(self, reference: str) -> None:
        found = _RANGE.fullmatch(reference)
        if found is None or found[1] == found[3]:
            return
        first, last = _column(found[1]), _column(found[3])
        if last - first <= _LONGEST_MERGE:
            self._merges.setdefault(int(found[2]), []).append((first, last))


def _is_hidden(attributes: dict[str, str]) -> bool:
    return is_true(attributes.get("hidden"), default=False)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
