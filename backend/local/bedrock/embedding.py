"""Embeds text without a model: hashes its words, stems and pairs of stems into a vector.

Texts that share words get similar vectors, other texts nearly orthogonal ones. That is enough to
retrieve documents which use the words of their subject. A text has the same vector in every
process.
"""

import hashlib
import itertools
import math
import re
from collections import Counter

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_PAIR_WEIGHT = 0.35
_WORD_WEIGHT = 0.5
# Repeated words tell what a text is about. Lower exponents hide them among its other words, higher
# ones find less in passages of a forum.
_COUNT_EXPONENT = 0.75

STOP_WORDS = frozenset(
    """a about above after again all also although always am an and any are as at back be because
    been before being below between both but by can cannot could did do does doing don't down during
    each either else even ever every few for from further get gets getting give given go goes had
    has have having he her here hers him his how however i if in instead into is it it's its itself
    just keep kept let like made make makes many may me might mine more most much must my near need
    needs neither never no nor not now of off often on once one only or other ought our out over own
    part per put rather same shall she should since so some still such take taken than that the
    their them then there these they thing things this those though through to too toward under
    until up upon us use used uses using very want was way we well were what when where whether
    which while who whom whose why will with within without would yes yet you your yours""".split()  # noqa: SIM905 - a list of words is easier to read as words
)

_DETERMINERS = frozenset(["a", "the", "my", "your", "his", "her", "our", "their"])

_SUFFIXES = (
    ("ational", "ate"),
    ("ization", "ize"),
    ("fulness", "ful"),
    ("iveness", "ive"),
    ("ations", "ate"),
    ("ation", "ate"),
    ("ments", "ment"),
    ("ingly", ""),
    ("edly", ""),
    ("ness", ""),
    ("ies", "y"),
    ("ied", "y"),
    ("ing", ""),
    ("ers", ""),
    ("er", ""),
    ("ed", ""),
    ("ly", ""),
    ("es", "e"),
    ("s", ""),
)
_SHORTEST_STEM = 3


def words(text: str) -> list[str]:
    """The words of `text` in lower case, without stop words; `will` stays where it is a noun."""
    found = _WORD.findall(text.lower())
    return [
        word
        for before, word in itertools.pairwise(["", *found])
        if word not in STOP_WORDS or (word == "will" and before in _DETERMINERS)
    ]


def stem(word: str) -> str:
    """A crude stem: `saving`, `savings` and `saved` become the same."""
    for suffix, ending in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            if suffix == "s" and word.endswith(("ss", "us", "is")):
                break
            word = word[: len(word) - len(suffix)] + ending
            break
    if len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]  # planned -> plann -> plan
    return stem(word) if word.endswith("ing") and len(word) > 5 else word.rstrip("e")


def features(text: str) -> Counter[str]:
    """The weight of each feature, which grows with the logarithm of its occurrences."""
    found = words(text)
    stems = [stem(word) for word in found]
    weights: Counter[str] = Counter()
    for prefix, weight, items in (
        ("w", _WORD_WEIGHT, Counter(found)),
        ("s", 1.0, Counter(stems)),
        ("p", _PAIR_WEIGHT, Counter(f"{a} {b}" for a, b in itertools.pairwise(stems))),
    ):
        for item, count in items.items():
            weights[f"{prefix}:{item}"] = weight * count**_COUNT_EXPONENT
    return weights


def embed(text: str, *, dimensions: int = 1024, normalize: bool = True) -> list[float]:
    """The vector of `text`, with the length 1 if `normalize` is set. It is never all zero."""
    vector = [0.0] * dimensions
    for feature, weight in features(text).items() or [(f"t:{text}", 1.0)]:
        digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest())
        # The highest bit of the hash decides the sign, so that features with one index cancel out.
        vector[digest % dimensions] += weight if digest >> 63 else -weight
    length = math.sqrt(sum(value * value for value in vector))
    if length == 0.0:  # features that cancelled each other out
        vector[0] = length = 1.0
    return [value / length for value in vector] if normalize else vector


def count_tokens(text: str) -> int:
    """An estimate of the tokens of an English text: one for each four characters."""
    return max(1, round(len(text) / 4))
