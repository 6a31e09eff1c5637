"""Whether a claim and its source agree on how often something happens: monthly, each quarter."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from chat.answers.reading import Reading
from chat.answers.words import content_words, stem

_PERIOD: Final = "day|week|fortnight|month|quarter|year"
_MONTHS: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
)
_FREQUENCY: Final = re.compile(
    rf"\b(?:every|each|per)\s+(?:single\s+|tax\s+|calendar\s+|fiscal\s+|financial\s+)?"
    rf"(?P<each>{_PERIOD})\b(?!')"
    rf"|\ban?\s+(?P<a>{_PERIOD})\b(?!')"
    rf"|\b(?:every|each)\s+(?P<named>{_MONTHS})\b"
    r"|\bper\s+(?P<annum>annum)\b"
    r"|\b(?P<adverb>annual(?:ly)?|yearly|quarterly|monthly|weekly|daily|fortnightly)\b",
    re.IGNORECASE,
)
# "In a year", "a year later" and "a year or two" are durations, not frequencies.
_LENGTH_BEFORE: Final = re.compile(
    r"\b(?:in|for|within|after|over|of|than|about|around|half|by|least|to|only|is)\s+\Z",
    re.IGNORECASE,
)
_LENGTH_BEHIND: Final = re.compile(
    r"\s+(?:earlier|ago|later|before|after|of|or (?:two|so|more|less)|and a half|in)\b",
    re.IGNORECASE,
)
_ADVERBS: Final = {
    "annual": "year", "annually": "year", "yearly": "year", "quarterly": "quarter",
    "monthly": "month", "weekly": "week", "daily": "day", "fortnightly": "fortnight",
}  # fmt: skip
_NEXT_WORD: Final = re.compile(r"\s+([A-Za-z]+)")
_BREAK: Final = re.compile(r"[;:]|,(?!\d)|\b(?:and|but|while|whereas)\b", re.IGNORECASE)


class Frequency(NamedTuple):
    """How often something happens.

    Attributes:
        words: The content words of its clause.
        noun: The stem of the word after an adjective: "fee" in "the monthly fee".
    """

    period: str
    words: frozenset[str]
    noun: str = ""


@lru_cache(maxsize=2048)
def frequencies(text: str) -> tuple[Frequency, ...]:
    """Return the frequencies of a text in their order."""
    found: list[Frequency] = []
    for match in _FREQUENCY.finditer(text):
        if match["a"] and (
            _LENGTH_BEFORE.search(text[: match.start()]) or _LENGTH_BEHIND.match(text, match.end())
        ):
            continue
        before = [cut.end() for cut in _BREAK.finditer(text, 0, match.start())]
        behind = _BREAK.search(text, match.end())
        clause = text[before[-1] if before else 0 : behind.start() if behind else len(text)]
        words = frozenset(word.stem for word in content_words(clause))
        following = _NEXT_WORD.match(text, match.end()) if match["adverb"] else None
        noun = stem(following[1]) if following else ""
        found.append(Frequency(_period(match), words, noun))
    return tuple(found)


def _period(match: re.Match[str]) -> str:
    if adverb := match["adverb"]:
        return _ADVERBS[adverb.lower()]
    if match["named"] or match["annum"]:
        return "year"
    return (match["each"] or match["a"]).lower()


def frequencies_agree(claim: Reading, source: Reading, columns: Sequence[str] = ()) -> bool:
    """Return whether the source has each frequency of a claim, in a clause with the same words.

    A claim with amounts may add one that the source omits: a fund's "0.45 %" charge is yearly.

    Args:
        claim: The claim.
        source: The sentence or row that proves it.
        columns: The names of a row's columns.
    """
    theirs = [one for text in (source.text, *columns) for one in frequencies(text)]
    has_amounts = any(figure.date is None for figure in claim.figures)
    for mine in frequencies(claim.text):
        same = [len(mine.words & one.words) for one in theirs if one.period == mine.period]
        others = [one for one in theirs if one.period != mine.period]
        if mine.noun:
            if not same and any(mine.noun in one.words for one in others):
                return False
            continue
        if not same and (others or not has_amounts):
            return False
        if max((len(mine.words & one.words) for one in others), default=0) > max(same, default=0):
            return False
    return True
