"""Where the sentences of a text begin and end."""

import re
from collections.abc import Container
from typing import Final

from chat.answers.lexicon import word_list

_END: Final = re.compile(r"(?:[.!?]+|\u2026)[\"'\u201d\u2019)\]*_]*(?=\s|$)")
_WORD_BEFORE: Final = re.compile(r"[\w.&'\u2019-]+$")

# No sentence ends after these abbreviations.
_NEVER_LAST: Final = frozenset(
    word_list("""e.g i.e mr mrs ms dr prof vs cf approx ca no nos sec art fig pp p vol ch eq pub
para st ave
incl excl est max min avg jan feb mar apr jun jul aug sep sept oct nov dec viz resp""")
)
# A sentence ends after these only if the next word is one that sentences begin with.
_SELDOM_LAST: Final = re.compile(
    r"(?:[A-Za-z]\.)+[A-Za-z]?|inc|co|corp|ltd|llc|plc|bros|gov|sen|rep|jr|sr|etc|al|yr|yrs|mo|"
    r"hr|dept|n\.a",
    re.IGNORECASE,
)
_STARTERS: Final = frozenset(
    word_list("""the a an it this that these those they in on at by for from if when while with
without as
but and or however because although since so there he she we you your our its their both
each all most many some such no not only to under over after before during between once
until unless then also another other one two three investors bonds stocks shares savers
companies what how which who why is are do does can should may""")
)
_LETTER_BEFORE_DIGIT: Final = frozenset(
    {"no", "nos", "p", "pp", "art", "sec", "st", "fig", "mar", "min", "max", "ca", "est", "mo"}
)


def sentence_spans(
    text: str, start: int = 0, end: int | None = None, *, subjects: Container[int] = ()
) -> list[tuple[int, int]]:
    """Return the half-open spans of the sentences between two offsets, without white space.

    `subjects` are the offsets of markers that were removed from the text: one may have been the
    subject of the sentence after it.
    """
    end = len(text) if end is None else end
    spans: list[tuple[int, int]] = []
    begun = start
    for match in _END.finditer(text, start, end):
        if match.end() < end and not _ends_here(text, begun, match, end, subjects):
            continue
        spans.append((begun, match.end()))
        begun = match.end()
    spans.append((begun, end))
    return [trimmed for one, two in spans if (trimmed := trim(text, one, two))]


def trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return a span without outer white space, or None if it is all white space."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def _ends_here(  # noqa: PLR0911
    text: str, begun: int, match: re.Match[str], end: int, subjects: Container[int]
) -> bool:
    rest = text[match.end() : min(end, match.end() + 60)].lstrip()
    if not rest:
        return True
    opened = rest.lstrip("\"'\u201c\u2018([*_")
    first = opened[:1]
    # "[2] adds that …" is a sentence of its own.
    if first.islower() and match.end() not in subjects:
        return False
    if match[0][0] != ".":
        return match[0][0] != "\u2026" or first.isupper()
    if match[0].startswith(".."):
        return first.isupper()
    before = _WORD_BEFORE.search(text, max(begun, match.start() - 30), match.start())
    word = before[0].lower().strip("'\u2019") if before else ""
    if word in _NEVER_LAST:
        if word in _LETTER_BEFORE_DIGIT:
            return not first.isdigit()
        return False
    if word and _SELDOM_LAST.fullmatch(word) and not word.isdigit():
        following = re.match(r"[A-Za-z']+", opened)
        return bool(following and following[0].lower() in _STARTERS and first.isupper())
    return True
