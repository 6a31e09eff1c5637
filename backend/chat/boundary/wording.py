"""Weighs the words of a question that no pattern of the policy matches."""

import re
from collections.abc import Iterator
from math import sqrt
from typing import Final

from chat.boundary.policy import Refused, Weights

_TOKEN: Final = re.compile(r"\w+|[?!$\u20ac\u00a3%]")
_ENDINGS: Final = ("ing", "ed", "es", "s")
_MIN_STEM: Final = 3
_LONGEST_PHRASE: Final = 3
_SENTENCE: Final = re.compile(r"[^.?!]*[.?!]*")
_SENTENCES_TOGETHER: Final = 3


def phrases(text: str) -> set[str]:
    """Return the phrases of one to three words in a text, each word without its ending."""
    words = [_stem(word) for word in _TOKEN.findall(text)]
    return {
        " ".join(words[start : start + length])
        for length in range(1, _LONGEST_PHRASE + 1)
        for start in range(len(words) - length + 1)
    }


class Wording:
    """The weights of a policy's phrases.

    A category's score is its `start` and the sum of its weights over the phrases found, divided by
    the square root of their number, so that long questions and short ones compare.
    """

    def __init__(self, weights: Weights) -> None:
        self._phrases = weights.phrases
        self._start = weights.start

    def category(self, text: str) -> Refused | None:
        """Return the category with the highest score above zero, in three sentences in a row."""
        best: tuple[float, Refused] | None = None
        for part in _parts(text):
            found = [self._phrases[one] for one in phrases(part) if one in self._phrases]
            sums = map(sum, zip(*found, strict=True)) if found else (0,) * len(self._start)
            length = sqrt(len(found) or 1)
            for (category, start), total in zip(self._start.items(), sums, strict=True):
                best = max(best or (0.0, category), (start + total / length, category))
        return best[1] if best and best[0] > 0 else None


def _parts(text: str) -> Iterator[str]:
    sentences = [one for one in _SENTENCE.findall(text) if one.strip()]
    for first in range(max(1, len(sentences) - _SENTENCES_TOGETHER + 1)):
        yield "".join(sentences[first : first + _SENTENCES_TOGETHER])


def _stem(word: str) -> str:
    """Return a word without its ending; "@" for one with a digit, whose value is irrelevant."""
    if any(map(str.isdigit, word)):
        return "@"
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            return word.removesuffix(ending).rstrip("e")
    return word.rstrip("e") if len(word) > _MIN_STEM else word
