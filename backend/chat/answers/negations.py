"""The negations of a text, and the words that each of them negates."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from chat.answers.lexicon import word_list
from chat.answers.words import WORD, stem

_NEGATORS: Final = frozenset(
    word_list("""not never no none nothing nobody nowhere neither nor without cannot hardly""")
)
_WEAK_NEGATORS: Final = frozenset(
    word_list("""lack lacks lacking lacked fail fails failed failing avoid avoids avoiding
avoided rarely
seldom barely unless except excluding excludes exclude excluded instead rather exempt ignore
ignores ignoring ignored prevent prevents prohibit prohibits prohibited forbid forbidden
refuse refuses free impossible unable missing absent stop stops zero nil waive waived
eliminate eliminates skip skips omit neglect overlook disregard disregards little few""")
)
# The negator in these phrases negates nothing.
_NOT_NEGATING: Final = re.compile(
    r"\bnot (?:only|just|merely|simply)\b(?=[^.]*\bbut\b)|\bnot least\b|\bno (?:more|less|"
    r"fewer|later|longer|earlier|higher|lower) than\b"
    r"|\bnot (?:more|less|fewer|exceeding|under|over|to exceed|above|below) \b|\bno doubt\b|"
    r"\b(?:never|cannot|not|\w+n['\u2019]t)(?: be)?(?: \w+)? "
    r"(?:exceed|(?:more|higher|greater) than)\b|"
    r"\bwhether or not\b"
    # "Do not close it, or you pay" states what closing it costs.
    r"|^\W*(?:do not|don['\u2019]t|never)\b(?=[^.]*\bor (?:else|you|it)\b)"
    r"|\bno other\b|\bnothing else\b|\bno matter\b|\bno\.(?= ?\d)|^(?:no|none)[,.](?= )"
    r"|\bno[:;](?= )",
    re.IGNORECASE,
)
_NO_PREFIX: Final = ("under", "unit", "union", "uniq", "unif", "univ", "until", "unless", "none")
_STOP_AT: Final = re.compile(
    r"[;:!?]|[.,](?!\d)|\bbut\b|\band\b|\bso\b|\bbecause\b|\bcan\b|\bwill\b", re.IGNORECASE
)
_CLAUSE: Final = re.compile(
    r"[;:]\s|\.\s|,?\s(?:and|but|while|whereas|although|though|so|because|since)\b|,\s"
)
_TARGETS: Final = 3
_FURTHEST_TARGET: Final = 40  # words after a negation


@dataclass(frozen=True, slots=True)
class Negation:
    """A negator and the content words that it negates, the nearest first."""

    hard: bool
    """Whether it is a plain negation such as "not", and no word such as "lack"."""
    targets: tuple[str, ...]
    subject: tuple[str, ...] = ()
    """The content word before it: "its value does not fall" also negates "value"."""
    affirms: bool = False
    """Whether it is itself negated, as in "not tax-free"."""
    clause: frozenset[str] = frozenset()
    """The content words of its clause."""


@lru_cache(maxsize=2048)
def negations(text: str) -> tuple[Negation, ...]:
    """Return the negators of a text."""
    masked = _NOT_NEGATING.sub(lambda match: " " * len(match[0]), text)
    words = [
        (match[0].lower().replace("\u2019", "'"), match.start(), match.end())
        for match in WORD.finditer(masked)
    ]
    cuts = [0, *(match.start() for match in _CLAUSE.finditer(text)), len(text)]
    found: list[Negation] = []
    for index, (word, start, end) in enumerate(words):
        hard = is_hard(word)
        if word == "free" and index and masked[start - 1 : start] == "-":
            bare = stem(words[index - 1][0])
            if any(is_hard(one) for one, _, _ in words[max(0, index - 3) : index - 1]):
                # "Not tax-free" does not negate "tax".
                found = [one for one in found if not (one.hard and bare in one.targets[:1])]
                before = _clause_before(masked, words, index - 1)
                found.append(Negation(False, (bare,), before, affirms=True))
                continue
            free = f"{bare}-free"  # The source may mention the tax itself as well.
            found.append(Negation(True, (bare, free), _clause_before(masked, words, index - 1)))
            continue
        than = word == "other" and words[index + 1 : index + 2] and words[index + 1][0] == "than"
        if (
            than
            or (word == "non" and masked[end : end + 1] == "-")
            or (hard or word in _WEAK_NEGATORS)
        ):
            targets = _targets(masked, words, index, end)
            around = _clause(text, cuts, start)
            found.append(Negation(hard, targets, _subject(masked, words, index), clause=around))
        elif len(word) > 5 and word.startswith(("un", "non")) and not word.startswith(_NO_PREFIX):
            bare = stem(word.removeprefix("un").removeprefix("non"))
            found.append(Negation(False, (bare, stem(word))))
    return tuple(found)


def _clause(text: str, cuts: Sequence[int], position: int) -> frozenset[str]:
    """Return the content words between the cuts around a position."""
    after = bisect_right(cuts, position)
    return _stems(text[cuts[after - 1] : cuts[after] if after < len(cuts) else len(text)])


@lru_cache(maxsize=256)
def _stems(text: str) -> frozenset[str]:
    return frozenset(key for match in WORD.finditer(text) if (key := stem(match[0])))


def is_hard(word: str) -> bool:
    """Whether a word is a plain negation: "not", "never", "isn't"."""
    return word in _NEGATORS or word.endswith("n't")


def _targets(text: str, words: list[tuple[str, int, int]], index: int, end: int) -> tuple[str, ...]:
    targets: list[str] = []
    position = end
    for word, _start, word_end in words[index + 1 : index + 1 + _FURTHEST_TARGET]:
        if len(targets) == _TARGETS or _STOP_AT.search(text, position, word_end):
            break
        if key := stem(word):
            targets.append(key)
        position = word_end
    if not targets:
        targets = [key for word, _, _ in words[max(0, index - 4) : index] if (key := stem(word))][
            -1:
        ]
    return tuple(targets)


def _subject(text: str, words: list[tuple[str, int, int]], index: int) -> tuple[str, ...]:
    for back in range(index - 1, max(-1, index - 4), -1):
        if _STOP_AT.search(text, words[back][2], words[index][1]):
            break
        if key := stem(words[back][0]):
            return (key,)
    return ()


def _clause_before(text: str, words: list[tuple[str, int, int]], index: int) -> tuple[str, ...]:
    found: list[str] = []
    for back in range(index - 1, max(-1, index - 9), -1):
        if re.search(r"[;.]|,\s+and\b", text[words[back][1] : words[index][1]]):
            break
        if found and "," in text[words[back][2] : words[back + 1][1]]:
            break
        if key := stem(words[back][0]):
            found.append(key)
    return tuple(found)
