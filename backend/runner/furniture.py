"""Headers and footers of pages: lines that repeat at the top or the bottom of most pages."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

_SAMPLED_PAGES: Final = 12
_FEWEST_PAGES: Final = 4
_EDGE_LINES: Final = 2
_SHARE: Final = 0.6
_NUMBER: Final = re.compile(r"(?<!\d)\d{1,4}(?!\d)")


class RepeatedLines:
    """The lines that repeat at the edges of a document's pages.

    Some pages, evenly spread, are compared, so the result depends on the content only. A number
    that grows with the pages is a page number: lines that differ in it only are the same.

    Args:
        pages: The number of pages; below four, no line counts as repeated.
        lines: Returns the lines of a page.
    """

    def __init__(self, pages: int, lines: Callable[[int], Sequence[str]]) -> None:
        self._repeated: set[str] = set()
        if pages < _FEWEST_PAGES:
            return
        found: Counter[str] = Counter()
        filled = 0
        for page in sampled_pages(pages):
            text = lines(page)
            edges = {key for index in _edges(text) for key in _keys(text[index], page)}
            found.update(edges)
            filled += bool(edges)
        self._repeated = {key for key, times in found.items() if times >= max(2, filled * _SHARE)}

    def without(self, lines: Sequence[str], page: int) -> list[str]:
        """Return the lines of a page without those that repeat at its edges.

        A page of such lines only stays as it is.
        """
        kept = list(lines)
        for index in _edges(lines):
            if not self._repeated.isdisjoint(_keys(lines[index], page)):
                kept[index] = ""
        return kept if any(line.strip() for line in kept) else list(lines)


def sampled_pages(pages: int) -> list[int]:
    """Return the indexes of some pages, evenly spread, that stand for all of them."""
    count = min(pages, _SAMPLED_PAGES)
    return [number * pages // count for number in range(count)]


def _edges(lines: Sequence[str]) -> set[int]:
    """Return the indexes of the first and last lines that are not blank."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    return {*filled[:_EDGE_LINES], *filled[-_EDGE_LINES:]}


def _keys(line: str, page: int) -> Iterator[str]:
    """Yield the line, and the line for each number in it with its distance to the page's index."""
    text = " ".join(line.split()).casefold()
    yield text
    for match in _NUMBER.finditer(text):
        yield f"{text[: match.start()]}\0{int(match[0]) - page}\0{text[match.end() :]}"
