"""Splits a long text into parts, each stored as a separate document.

Where a part ends depends on the text only, so the same document always has the same parts.
"""

from dataclasses import dataclass

from runner.text import ExtractedText


@dataclass(frozen=True)
class Part:
    """A part of a document; `text` may be empty.

    `following` is the section and the offset at which the next part begins, None after the last.
    """

    text: str
    section: int
    following: tuple[int, int] | None


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
    rest = document.section(section)[offset:]
    if len(rest) > max_characters:
        end = _break_before(rest, max_characters)
        return Part(rest[:end].strip(), section, (section, offset + end))
    following = (section + 1, 0) if section + 1 < len(document) else None
    return Part(rest.strip(), section, following)


def _break_before(text: str, limit: int) -> int:
    """Return the end of a paragraph, else a line, a sentence, a word, else the limit."""
    for mark in ("\n\n", "\n", ". ", " "):
        found = text.rfind(mark, limit // 2, limit)
        if found > 0:
            return found + len(mark)
    return limit
