"""Whether a claim repeats a source sentence almost word for word, but replaces a decisive word.

"The snowball sends the extra money to the dearest debt" shares all but one word with a sentence
about the avalanche. The share of equal words cannot show that; an alignment of the texts can.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from chat.answers.lexicon import word_list
from chat.answers.negations import is_hard
from chat.answers.opposite_words import are_opposite
from chat.answers.words import stem

_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d[\d.,]*")
_ORDINALS: Final = frozenset(word_list("first second third fourth fifth sixth"))
_NEGATORS: Final = frozenset(word_list("barely hardly scarcely rarely seldom"))

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_PART: Final = re.compile(r"[;:]\s")

_REPEATED: Final = 0.5
"""The share of a claim's words that a sentence must contain to be compared."""
_NEARLY_ALL: Final = 0.7
"""The share above which any other name in the same place is a replacement."""
_LONGEST: Final = 4
_FLANK: Final = 2


class Sources:
    """The sentences that a claim may repeat.

    Args:
        sentences: Each sentence of the passages, with the word pairs of its whole passage.
    """

    def __init__(self, sentences: Iterable[tuple[str, frozenset[str]]]) -> None:
        self._known = [
            (tokens(part), frozenset(tokens(part)), around)
            for sentence, around in sentences
            for part in dict.fromkeys((sentence, *_PART.split(sentence)))
        ]

    def exchanged(self, claim: str) -> bool:
        """Return whether a claim replaces a word of the sentence that it repeats most."""
        return any(_is_exchanged(tokens(part), self._known) for part in _SENTENCE.split(claim))


def _is_exchanged(
    mine: tuple[str, ...], known: Iterable[tuple[tuple[str, ...], frozenset[str], frozenset[str]]]
) -> bool:
    best = repeated = 0.0
    words = set(mine)
    for theirs, has, around in known:
        if len(words & has) < _REPEATED * len(words):
            continue
        share, differs = _compare(mine, theirs, around)
        if differs:
            best = max(best, share)
        else:
            repeated = max(repeated, share)
    return best >= _REPEATED and best >= repeated


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """Return the words and numbers of a text in lower case."""
    return tuple(match[0].lower().rstrip(".,") for match in _TOKEN.finditer(text))


@lru_cache(maxsize=8192)
def _compare(
    mine: tuple[str, ...], theirs: tuple[str, ...], around: frozenset[str]
) -> tuple[float, bool]:
    codes = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    same = sum(end - start for tag, start, end, _, _ in codes if tag == "equal")
    share = same / len(mine) if mine else 0.0
    for number, (tag, start, end, source_start, source_stop) in enumerate(codes):
        # The source may continue after the claim's last word.
        limit = source_start + end - start + 1 if end == len(mine) else source_stop
        source_end = min(source_stop, limit)
        if tag != "replace" or end - start > _LONGEST or source_end - source_start > _LONGEST:
            continue
        before = codes[number - 1] if number else None
        after = codes[number + 1] if number + 1 < len(codes) else None
        if not _is_flanked(before, after, start, end, len(mine)):
            continue
        one, two = mine[start:end], theirs[source_start:source_end]
        if _opposes(one, two, theirs) or (
            share >= _NEARLY_ALL
            and end - start == source_end - source_start == 1
            and _renames(mine, start, two[0], around)
        ):
            return share, True
    return share, False


def _is_flanked(
    before: tuple[str, int, int, int, int] | None,
    after: tuple[str, int, int, int, int] | None,
    start: int,
    end: int,
    length: int,
) -> bool:
    """Whether enough equal words surround a difference."""
    left = before[2] - before[1] if before and before[0] == "equal" else 0
    right = after[2] - after[1] if after and after[0] == "equal" else 0
    if end == length:
        return left > _FLANK
    return left + right > _FLANK and right > 0 and (left > 0 or start == 0)


def _opposes(one: Sequence[str], two: Sequence[str], source: Sequence[str]) -> bool:
    mine, theirs = set(one) - set(two), set(two) - set(one)
    denied = any(map(is_hard, one)) != any(map(is_hard, two))
    if not denied and any(are_opposite(word, other) for word in mine for other in theirs):
        return True
    if theirs & _NEGATORS and not any(word in _NEGATORS or is_hard(word) for word in mine):
        return True
    if len(one) == len(two) == 1:
        if one[0][0].isdigit() and two[0][0].isdigit():
            return one[0] in source
        return one[0] in _ORDINALS and two[0] in _ORDINALS
    return False


def _renames(mine: Sequence[str], place: int, other: str, around: frozenset[str]) -> bool:
    """Whether a word is replaced by another that the passage has beside the same neighbour.

    "Debt snowball" replaces "debt avalanche" if the passage has both.
    """
    word = mine[place]
    if not (word.isalpha() and other.isalpha()) or other in mine:
        return False
    if not (stem(word) and stem(other)) or stem(word) == stem(other):
        return False
    return bool(around.intersection(pairs(mine[max(0, place - 1) : place + 2])))


@lru_cache(maxsize=1024)
def pairs(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return each pair of neighbouring content words."""
    telling = [bool(stem(word)) for word in words]
    return tuple(
        f"{one} {two}"
        for (one, two), says in zip(
            itertools.pairwise(words), itertools.pairwise(telling), strict=True
        )
        if all(says)
    )
