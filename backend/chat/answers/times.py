"""Whether a claim and its source agree on "before", "within" and "after" a time."""

import re
from typing import Final

from chat.answers.claims import Claim
from chat.answers.figures import AGE, BUSINESS_DAY, DATE, Figure
from chat.answers.lexicon import word_list
from chat.answers.passages import Statement

_TIMES: Final = frozenset(
    {AGE, DATE, BUSINESS_DAY, "year", "month", "week", "day", "quarter", "hour"}
)
_AFTER: Final = frozenset(word_list("after beyond past following"))
_BEFORE: Final = frozenset(word_list("before within in during by until under inside"))
_LASTING: Final = frozenset(word_list("for over during lasting"))
_BETWEEN: Final = frozenset(
    word_list("the a an first last next age ages aged about around roughly approximately of only")
)
_WORD: Final = re.compile(r"[A-Za-z]+")
_POINT: Final = re.compile(r"\W*(?:after|before|later|earlier|ago)\b", re.IGNORECASE)
_BEFORE_FIGURE: Final = 40


def times_agree(claim: Claim, figure: Figure, statement: Statement) -> bool:
    """Return whether the statement uses an equal time with a preposition that agrees.

    True if the figure is no time, or the statement does not contain it.
    """
    text, source = claim.reading.text, statement.reading.text
    if figure.unit not in _TIMES or claim.reading.is_row or statement.reading.is_row:
        return True
    mine = _preposition(text, figure)
    is_point = _POINT.match(text, figure.end) is not None
    found = [one for one in statement.reading.figures if figure.agrees_with(one)]
    return not found or any(
        not _differ(mine, theirs := _preposition(source, one))
        and not (is_point and theirs in _LASTING and not _POINT.match(source, one.end))
        for one in found
    )


def _differ(one: str, other: str) -> bool:
    return (one in _AFTER and other in _BEFORE) or (one in _BEFORE and other in _AFTER)


def _preposition(text: str, figure: Figure) -> str:
    words = _WORD.findall(text[max(0, figure.start - _BEFORE_FIGURE) : figure.start].lower())
    while words and words[-1] in _BETWEEN:
        words.pop()
    return words[-1] if words else ""
