"""Splits a long text into parts, each stored as a separate document.

Where a part ends depends on the text only, so the same document always has the same parts.
"""

from dataclasses import dataclass
from functools import lru_cache

from runner.text import ExtractedText
from shared.outline import Outline


@dataclass(frozen=True)
class Part:
    """A part of a document; `text` may be empty.

    `following` is the section and the offset at which the next part begins, None after the last.
    `context` are the headings and the header of a table that a part of a section's middle needs.
    """

    text: str
    section: int
    following: tuple[int, int] | None
    context: str = ""

    def with_context(self) -> str:
        """Return the text with its context above it."""
        return self.context + self.text if self.text else ""


def take_part(
    document: ExtractedText,
    section: int,
    offset: int,
    *,
    max_characters: int,
) -> Part:
    """Return the part of a document that begins at `offset` of `section`.

    A part of a paged document belongs to one page, so that a citation can name it.

    Args:
        document: The document.
        section: Index of the first section.
        offset: Where the part begins in that section, in characters.
        max_characters: The longest part.
    """
    text = document.section(section)
    context = _outline(text).context(offset) if offset else ""
    if len(context) > max_characters // 4:
        context = ""
    room = max_characters - len(context)
    rest = text[offset:]
    if len(rest) > room:
        end = _break_before(rest, room)
        return Part(rest[:end].strip(), section, (section, offset + end), context)
    following = (section + 1, 0) if section + 1 < len(document) else None
    return Part(rest.strip(), section, following, context)


@lru_cache(maxsize=1)
def _outline(text: str) -> Outline:
    """Return the outline of a text, which is read once for all of its parts."""
    return Outline(text)


def _break_before(text: str, limit: int) -> int:
    """Return the end of a paragraph, else a line, a sentence, a word, else the limit."""
    for mark in ("\n\n", "\n", ". ", " "):
        found = text.rfind(mark, limit // 2, limit)
        if found > 0:
            return found + len(mark)
    return limit
