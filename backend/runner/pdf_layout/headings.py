"""Headings of a PDF: its bookmarks, and lines whose font is larger or bolder than the text's."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from runner.furniture import sampled_pages
from runner.pdf_layout.lines import Line
from runner.tables import is_number
from runner.text import clean_title

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument  # type: ignore[import-untyped]

type Heading = tuple[int, str]
"""A level from 1 to 6, and the heading's text."""

_MOST_BOOKMARKS: Final = 5000
_LARGER: Final = 1.15
_STEP: Final = 0.5  # points between two sizes of headings
_MOST_SIZES: Final = 4
_LENGTHS: Final = range(3, 121)
_LONGEST_BOLD: Final = 80
_MOST_LINES: Final = 3
_MOST_SHARE: Final = 0.35
_PAGES_BACK: Final = 2
_LETTERS: Final = re.compile(r"[^\W\d_]{2}")
_SENTENCE: Final = re.compile(r".*[.,;:?!]$")


class Headings:
    """The headings of a PDF.

    The size of the text and those of headings come from some pages, evenly spread, so that they
    depend on the content only.

    Args:
        document: The PDF, for its bookmarks.
        lines: Returns the lines of a page.
    """

    def __init__(self, document: "PdfDocument", lines: Callable[[int], Sequence[Line]]) -> None:
        self._lines = lines
        self._bookmarks = _bookmarks(document)
        self._places = [page for page, _ in self._bookmarks]
        self._found: dict[int, list[Heading]] = {}
        sample = [line for page in sampled_pages(len(document)) for line in lines(page)]
        sizes: Counter[float] = Counter()
        for line in sample:
            sizes[_rounded(line.size)] += len(line.text)
        del sizes[0.0]
        self._body = sizes.most_common(1)[0][0] if sizes else 0.0
        large = {_rounded(line.size) for line in sample if self._is_large(line)}
        self._sizes = sorted(large, reverse=True)[:_MOST_SIZES]

    def marked(self, lines: Sequence[Line], page: int) -> list[Line]:
        """Return the lines of a page, with its headings as lines of Markdown without places.

        A heading of several lines becomes one. A page that would be mostly headings has none.
        """
        found: list[Line] = []
        headings: list[Heading] = []
        known = {_key(name): level for level, name in self._on_page(page)}
        place = 0
        while place < len(lines):
            level, count = self._level(lines, place, known)
            if not level:
                found.append(lines[place])
                place += 1
                continue
            text = " ".join(" ".join(one.text for one in lines[place : place + count]).split())
            headings.append((level, text))
            found += [Line(""), Line(f"{'#' * level} {text}"), Line("")]
            place += count
        filled = sum(1 for line in lines if line.text.strip())
        if len(headings) > max(1, filled * _MOST_SHARE):
            found, headings = [*lines], []
        self._found[page] = headings
        return found

    def largest(self, lines: Sequence[Line]) -> str | None:
        """Return the lines of the largest font, if they are larger than the text."""
        large = [
            place for place, one in enumerate(lines) if self._is_large(one) and len(one.pieces) == 1
        ]
        first = max(large, key=lambda place: (_rounded(lines[place].size), -place), default=None)
        if first is None:
            return None
        count = 1
        while count < _MOST_LINES and _is_same(lines, first, first + count):
            count += 1
        text = " ".join(one.text for one in lines[first : first + count])
        return text if _may_be_heading(text) else None

    def above(self, page: int) -> list[Heading]:
        """Return the headings that the first text of a page is below.

        They come from the bookmarks, else from the pages before it, of which a few are read.
        """
        path: list[Heading] = []
        if self._bookmarks:
            before = bisect_right(self._places, page - 1)
            headings = [heading for _, heading in self._bookmarks[:before]]
        else:
            pages = range(max(0, page - _PAGES_BACK), page)
            headings = [heading for one in pages for heading in self._of(one)]
        for level, name in headings:
            path = [*(one for one in path if one[0] < level), (level, name)]
        return path

    def _of(self, page: int) -> list[Heading]:
        if page not in self._found:
            self.marked(self._lines(page), page)
        return self._found[page]

    def _on_page(self, page: int) -> list[Heading]:
        first = bisect_right(self._places, page - 1)
        return [heading for _, heading in self._bookmarks[first : bisect_right(self._places, page)]]

    def _level(self, lines: Sequence[Line], place: int, known: dict[str, int]) -> tuple[int, int]:
        """Return the level of the heading that begins at a line, and its lines; 0 if none does."""
        for count in range(1, _MOST_LINES + 1):
            key = _key(" ".join(line.text for line in lines[place : place + count]))
            if key in known:
                return known[key], count
        line = lines[place]
        if len(line.pieces) != 1 or not _may_be_heading(line.text):
            return 0, 0
        deepest = min(max(known.values(), default=0), 6 - _MOST_SIZES)
        if self._is_large(line):
            count = 1
            while _is_same(lines, place, place + count):
                count += 1
            if count > _MOST_LINES or (place and _is_same(lines, place, place - 1)):
                return 0, 0  # a paragraph in large letters
            size = _rounded(line.size)
            rank = sum(1 for one in self._sizes if one > size)
            return deepest + min(rank + 1, _MOST_SIZES), count
        if self._is_bold_heading(lines, place):
            return min(deepest + len(self._sizes) + 1, 6), 1
        return 0, 0

    def _is_large(self, line: Line) -> bool:
        return bool(self._body) and line.size >= self._body * _LARGER

    def _is_bold_heading(self, lines: Sequence[Line], place: int) -> bool:
        line = lines[place]
        after = next((one for one in lines[place + 1 :] if one.text.strip()), None)
        return (
            line.is_bold
            and len(line.text) <= _LONGEST_BOLD
            and line.size >= self._body * 0.95
            and not _SENTENCE.match(line.text)
            and (line.text[0].isupper() or line.text[0].isdigit())
            and after is not None
            and not after.is_bold
            and len(after.pieces) == 1
        )


def _bookmarks(document: "PdfDocument") -> list[tuple[int, Heading]]:
    """Return the page and the heading of each bookmark, in the order of the pages."""
    found: list[tuple[int, Heading]] = []
    for number, bookmark in enumerate(document.get_toc(max_depth=6)):
        if number == _MOST_BOOKMARKS:
            break
        target = bookmark.get_dest()
        page = target.get_index() if target is not None else None
        name = clean_title(bookmark.get_title())
        if page is not None and name and len(name) in _LENGTHS:
            found.append((page, (min(bookmark.level + 1, 6), name)))
    return sorted(found, key=lambda one: one[0])


def _may_be_heading(text: str) -> bool:
    shown = text.strip()
    return (
        len(shown) in _LENGTHS
        and _LETTERS.search(shown) is not None
        and not is_number(shown)
        and not shown.endswith((".", ",", ";"))
    )


def _is_same(lines: Sequence[Line], first: int, other: int) -> bool:
    """Return whether a line continues a heading: as large as its first line, and close to it."""
    if other >= len(lines) or len(lines[other].pieces) != 1 or not lines[first].pieces:
        return False
    one, two = lines[first], lines[other]
    upper, lower = (two, one) if other < first else (lines[other - 1], two)
    gap = upper.pieces[0].bottom - lower.pieces[0].top if upper.pieces else 0.0
    return (
        abs(one.size - two.size) < _STEP
        and -one.size < gap < one.size
        and one.is_bold == two.is_bold
    )


def _rounded(size: float) -> float:
    return round(size / _STEP) * _STEP


def _key(text: str) -> str:
    return "".join(one for one in text.casefold() if one.isalnum())
