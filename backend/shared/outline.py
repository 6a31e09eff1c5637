"""The context of a place in a text: the headings above it, and the header of its table."""

import re
from bisect import bisect_left
from operator import itemgetter
from typing import Final

_HEADING: Final = re.compile(r"(#{1,6})[^\S\n]+(\S.{0,199})$")
_FENCE: Final = re.compile(r" {0,3}(```+|~~~+)")
_RULE: Final = re.compile(r"\|?[^\S\n]*:?-+:?[^\S\n]*(\|[^\S\n]*:?-+:?[^\S\n]*)*\|?[^\S\n]*$")


class Outline:
    """The headings and tables of a text in Markdown.

    Args:
        text: The text; one without such marks has no context anywhere.
        title: The document's title; a heading that repeats it adds nothing.
    """

    def __init__(self, text: str, title: str | None = None) -> None:
        self._text = text
        self._title = (title or "").casefold()
        # Offset and path of headings: what is above the text that follows the heading's line.
        self._offsets: list[int] = []
        self._paths: list[tuple[tuple[int, str], ...]] = []
        # Start of the first row, end and header of each table, in the order of the text.
        self._tables: list[tuple[int, int, str]] = []
        self._read()

    def context(self, start: int) -> str:
        """Return the lines to repeat above a passage that begins at an offset; often none."""
        place = bisect_left(self._offsets, start)
        path = self._paths[place - 1] if place else ()
        if place < len(self._offsets) and self._offsets[place] == start:
            level = self._paths[place][-1][0]
            path = tuple(one for one in path if one[0] < level)
        shown = [f"{'#' * level} {name}" for level, name in path if name.casefold() != self._title]
        lines = [*shown, ""] if shown else []
        if (number := self._tables_before(start)) and start < self._tables[number - 1][1]:
            lines.append(self._tables[number - 1][2])
        return "".join(f"{line}\n" for line in lines)

    def before_headings(self, start: int, end: int) -> int:
        """Return where the headings begin that are the last lines before `end`, else `end`.

        A heading before `start` stays where it is.
        """
        number = bisect_left(self._offsets, end)
        while number and (offset := self._offsets[number - 1]) > start:
            if "\n" in self._text[offset:end].strip():
                break
            end, number = offset, number - 1
        return end

    def row_end(self, start: int, end: int) -> int:
        """Return the last start of a row of a table in a range of offsets, or 0.

        The first row stays with the header above it.
        """
        number = self._tables_before(end)
        while number and (table := self._tables[number - 1])[1] > start:
            first = max(start, table[0])
            found = self._text.rfind("\n", first, min(end, table[1])) + 1
            if found > first:
                return found
            number -= 1
        return 0

    def _tables_before(self, place: int) -> int:
        """Return how many tables have their first row before a place."""
        return bisect_left(self._tables, place, key=itemgetter(0))

    def _read(self) -> None:
        path: tuple[tuple[int, str], ...] = ()
        fence, previous, previous_at = "", "", 0
        table: tuple[int, str] | None = None
        offset = 0
        for line in self._text.split("\n"):
            mark = _FENCE.match(line)
            if table is not None and "|" not in line:
                self._tables.append((table[0], offset, table[1]))
                table = None
            if fence or mark:
                if mark and (not fence or line.strip().startswith(fence)):
                    fence = "" if fence else mark[1]
            elif heading := _HEADING.match(line):
                level = len(heading[1])
                path = (*(one for one in path if one[0] < level), (level, _plain(heading[2])))
                self._offsets.append(offset)
                self._paths.append(path)
            elif table is None and "|" in line and "|" in previous and _RULE.match(line):
                rows = offset + len(line) + 1
                table = rows, self._text[previous_at : rows - 1]
            previous, previous_at = line, offset
            offset += len(line) + 1
        if table is not None:
            self._tables.append((table[0], offset, table[1]))


def _plain(heading: str) -> str:
    return heading.rstrip().rstrip("#").rstrip()
