"""Splits documents into passages: short enough to cite, long enough to understand."""

import re
import unicodedata

from shared.outline import Outline

# Titan accepts 50,000 characters, but one vector for that much text matches no question well.
MAX_CHARACTERS = 1200
OVERLAP_CHARACTERS = 150

_PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n\s*")
# The marks that Unicode gives the property Sentence_Terminal, for the scripts in use today. Latin
# marks end a sentence before white space only, and not before a small letter ("approx. five").
_CLOSING = r"[\"')\]\u201d\u2019\u00bb\u300b\u300d\u300f\u3011\uff09]*"
_SENTENCE_END = re.compile(
    rf"[.!?\u2026]{_CLOSING}\s++(?![a-z])"
    "|[\u0589\u061f\u06d4\u0700-\u0702\u0964\u0965\u0f0d\u0f0e\u104a\u104b\u1362\u1367\u1368\u1803"
    "\u1809\u17d4\u17d5\u1c3b\u1c3c\u203c\u203d\u2047-\u2049\u3002\uff01\uff0e\uff1f\uff61]"
    rf"{_CLOSING}(?!\d)\s*"
)
# Where texts without spaces between words may pause.
_CLAUSE_END = re.compile(r"[\u060c\u061b\u3001\uff0c\uff1a\uff1b]\s*")
_LINE_END = re.compile(r"\n\s*")
_SPACE = re.compile(r"\s+")


def split_text(
    text: str,
    *,
    title: str | None = None,
    max_characters: int = MAX_CHARACTERS,
    overlap: int = OVERLAP_CHARACTERS,
) -> list[str]:
    """Split a text after a paragraph, else a row of a table, a sentence, a word, else anywhere.

    No passage is blank or longer than `max_characters`. If a passage ends inside a paragraph, the
    next repeats up to `overlap` characters of it, so that a statement at the cut is complete
    in one of them. Nothing but white space is lost.

    A passage begins with the headings above it, except the document's title, and with the header
    of the table whose rows it continues, if they take at most a quarter of it.
    """
    if not 0 <= overlap < max_characters // 2:
        raise ValueError("overlap must be less than half of max_characters")
    passages: list[str] = []
    outline = Outline(text, title)
    start = _skip_space(text, 0)
    while start < len(text):
        context = outline.context(start)
        room = max_characters - len(context)
        if len(context) > max_characters // 4 or overlap >= room // 2:
            context, room = "", max_characters
        end, next_start = _cut(text, start, room, overlap, outline)
        passages.append(context + text[start:end].rstrip())
        start = _skip_space(text, next_start)
    return passages


def _cut(
    text: str, start: int, max_characters: int, overlap: int, outline: Outline
) -> tuple[int, int]:
    """Return the end of the passage that begins at `start`, and the start of the next."""
    limit = start + max_characters
    if _skip_space(text, limit) >= len(text):
        return limit, len(text)
    # Cut in the second half only: so passages are not too short, and the next passage starts
    # after this one's start, because the overlap is less than half.
    earliest = start + max_characters // 2
    # Search slightly past the limit: white space there may end a passage, because it is stripped.
    if end := _last_end(_PARAGRAPH_END, text, earliest, limit + 2, limit):
        end = outline.before_headings(earliest, end)
        return min(end, limit), end
    if end := outline.row_end(earliest, limit + 1):
        return min(end, limit), end
    for boundary in (_SENTENCE_END, _CLAUSE_END, _LINE_END, _SPACE):
        if end := _last_end(boundary, text, earliest, limit + 1, limit):
            return min(end, limit), _overlap_start(text, end, overlap)
    limit = _before_marks(text, earliest, limit)
    return limit, _overlap_start(text, limit, overlap)


def _overlap_start(text: str, end: int, overlap: int) -> int:
    """Return the first start of a sentence, clause or word in the last `overlap` characters."""
    if overlap:
        for boundary in (_SENTENCE_END, _CLAUSE_END, _SPACE):
            match = boundary.search(text, end - overlap, end)
            if match and match.end() < end:
                return match.end()
    return end


def _before_marks(text: str, start: int, end: int) -> int:
    """Return the last place that does not separate a character from its vowel signs or accents."""
    for place in range(end, start, -1):
        if not unicodedata.category(text[place]).startswith("M") and "\u200d" not in (
            text[place],
            text[place - 1],
        ):
            return place
    return end


def _last_end(boundary: re.Pattern[str], text: str, start: int, end: int, limit: int) -> int:
    """Return the last end of a boundary in a range; only white space may be past the limit."""
    last = 0
    for match in boundary.finditer(text, start, end):
        if match.end() <= limit or text[limit : match.end()].isspace():
            last = match.end()
    return last


def _skip_space(text: str, start: int) -> int:
    match = _SPACE.match(text, start)
    return match.end() if match else start
