"""Splits documents into passages: short enough to cite, long enough to understand."""

import re

# Titan accepts 50,000 characters, but one vector for that much text matches no question well.
MAX_CHARACTERS = 1200
OVERLAP_CHARACTERS = 150

_PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n\s*")
_SENTENCE_END = re.compile(r"[.!?][\"')\]\u201d\u2019]*\s+")
_SPACE = re.compile(r"\s+")


def split_text(
    text: str, *, max_characters: int = MAX_CHARACTERS, overlap: int = OVERLAP_CHARACTERS
) -> list[str]:
    """Split a text at the ends of paragraphs, else of sentences, else of words, else anywhere.

    No passage is blank or longer than `max_characters`. If a passage ends inside a paragraph, the
    next repeats up to `overlap` characters of it, so that a statement at the cut is complete
    in one of them. Nothing but white space is lost.
    """
    if not 0 <= overlap < max_characters // 2:
        raise ValueError("overlap must be less than half of max_characters")
    passages: list[str] = []
    start = _skip_space(text, 0)
    while start < len(text):
        end, next_start = _cut(text, start, max_characters, overlap)
        passages.append(text[start:end].rstrip())
        start = _skip_space(text, next_start)
    return passages


def _cut(text: str, start: int, max_characters: int, overlap: int) -> tuple[int, int]:
    """Return the end of the passage that begins at `start`, and the start of the next."""
    limit = start + max_characters
    if _skip_space(text, limit) >= len(text):
        return limit, len(text)
    # Cut in the second half only: so passages are not too short, and the next passage starts
    # after this one's start, because the overlap is less than half.
    earliest = start + max_characters // 2
    # Search slightly past the limit: white space there may end a passage, because it is stripped.
    if end := _last_end(_PARAGRAPH_END, text, earliest, limit + 2):
        return min(end, limit), end
    for boundary in (_SENTENCE_END, _SPACE):
        if end := _last_end(boundary, text, earliest, limit + 1):
            return min(end, limit), _overlap_start(text, end, overlap)
    return limit, _overlap_start(text, limit, overlap)


def _overlap_start(text: str, end: int, overlap: int) -> int:
    """Return the first start of a sentence, else of a word, in the last `overlap` characters."""
    if overlap:
        for boundary in (_SENTENCE_END, _SPACE):
            match = boundary.search(text, end - overlap, end)
            if match and match.end() < end:
                return match.end()
    return end


def _last_end(boundary: re.Pattern[str], text: str, start: int, end: int) -> int:
    last = 0
    for match in boundary.finditer(text, start, end):
        last = match.end()
    return last


def _skip_space(text: str, start: int) -> int:
    match = _SPACE.match(text, start)
    return match.end() if match else start
