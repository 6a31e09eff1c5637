"""Splits a long text into parts, each stored as a separate document."""

from collections.abc import Callable
from dataclasses import dataclass

from runner.text import ExtractedText


@dataclass(frozen=True)
class Part:
    """A part of a document; `text` may be empty.

    `following` is the section and the offset at which the next part begins, None after the last.
    """

    text: str
    first_section: int
    last_section: int
    following: tuple[int, int] | None


def take_part(
    document: ExtractedText,
    section: int,
    offset: int,
    *,
    max_characters: int,
    should_stop: Callable[[], bool] = lambda: False,
) -> Part:
    """Return the part of a document that begins at `offset` of `section`.

    Args:
        document: The document.
        section: Index of the first section.
        offset: Where the part begins in that section, in characters.
        max_characters: The longest part.
        should_stop: Called before each further section; the part ends early if it returns True.
    """
    first = last = section
    pieces: list[str] = []
    left = max_characters
    while section < len(document):
        if section > first and should_stop():
            break
        rest = document.section(section)[offset:]
        if len(rest) > left:
            if pieces:
                break  # the section begins the next part, where more of it fits
            end = _break_before(rest, left)
            return Part(rest[:end].strip(), first, section, (section, offset + end))
        if rest.strip():
            pieces.append(rest.strip())
            last = section
            left -= len(rest) + 2
        section, offset = section + 1, 0
    following = (section, offset) if section < len(document) else None
    return Part("\n\n".join(pieces), first, last, following)


def _break_before(text: str, limit: int) -> int:
    """Return the end of a paragraph, else a line, a sentence, a word, else the limit."""
    for mark in ("\n\n", "\n", ". ", " "):
        found = text.rfind(mark, limit // 2, limit)
        if found > 0:
            return found + len(mark)
    return limit
