"""Whether a claim that repeats the predicate of a source sentence has the same subject.

The claim "renting protects against rising rents" repeats all but one word of a passage about
owning. The two texts are aligned word by word. If the claim has another word of the passages
instead of the source's subject, it is about something else.
"""

import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final, NamedTuple

from chat.answers.reading import read

_PART: Final = re.compile(
    r"[;]\s+|\s[\u2014\u2013-]\s|\u2014|,\s+(?=(?:and|but|while|whereas|although|though|or)\b)|"
    r"\s+(?=(?:while|whereas|but)\b)"
)
_CLAUSE: Final = re.compile(
    r"[;:]\s+|\s[\u2014\u2013-]\s|\u2014|,\s+(?=(?:and|but|while|whereas|although|though|or|so|since|"
    r"because)\b)|\s+(?=(?:while|whereas|but|since|because)\b)"
)
# What may precede the subject: "Under the plan, ..." and the verb of an instruction.
_FRAME: Final = re.compile(
    r"^\W*(?:(?:under|in|at|for|with|according to|on|by|as|from|to|of)\b[^,;:]{2,60},\s+|"
    r"(?:avoid|buy|sell|invest|hold|choose|pick|withdraw|contribute|borrow|pay|save|open|close|move|"
    r"put|take|refinance|keep|use|start|stop|wait|plan|compare|expect|check|watch|transfer|add|set|"
    r"consider|limit|make|look|ask|count|find|note|remember|spend)\s+|"
    r"(?:the )?\w+ (?:projects?|expects?|forecasts?|estimates?|reports?|says?|predicts?)\s+)",
    re.IGNORECASE,
)
# The words before one of these are more than a subject.
_CLAUSE_WORD: Final = re.compile(
    r"\b(?:when|if|where|that|which|who|until|because|is|are|was|were|can|may|will|should|must)\b",
    re.IGNORECASE,
)
_LONGEST: Final = 5
_LEAST_SHARED: Final = 2
_LEAST_SHARE: Final = 0.4


class Place(NamedTuple):
    """The key of a word, identifier or figure of a text, and its offset."""

    key: str
    start: int


@lru_cache(maxsize=4096)
def sequence(text: str) -> tuple[Place, ...]:
    """Return the stems, identifiers and figures of a text in their order."""
    reading = read(text)
    found = [Place(word.stem, word.start) for word in reading.words]
    found += [Place(one.key, one.start) for one in reading.identifiers]
    found += [Place(one.key, one.start) for one in reading.figures]
    return tuple(sorted(found, key=lambda one: one.start))


def replaced_subject(
    claim: str, source: str, subject: str, is_known: Callable[[str], bool], around: frozenset[str]
) -> bool:
    """Return whether a claim replaces the subject of the source with another.

    Args:
        claim: The claim.
        source: The sentence that proves it.
        subject: The sentence that a pronoun at the beginning refers to, or an empty string.
        is_known: Whether another sentence of the passages contains a word.
        around: The words of the headings and the names in the title; they replace no subject.
    """
    source = f"{_beginning(subject)} {source}"
    parts = [source, *_PART.split(source)[1:]]
    return any(
        _replaces(_FRAME.sub("", clause), parts, is_known, around)
        and _replaces(clause, parts, is_known, around)
        for clause in _CLAUSE.split(claim)
    )


def _replaces(
    claim: str, parts: Sequence[str], is_known: Callable[[str], bool], around: frozenset[str]
) -> bool:
    mine = sequence(claim)
    part = max(parts, key=lambda one: sum(block[2] for block in _blocks(mine, sequence(one))))
    theirs = sequence(part)
    blocks = _blocks(mine, theirs)
    if not blocks:
        return False
    first, second, _ = blocks[0]
    left, right = _keys(mine[:first]), _keys(theirs[:second])
    if not (0 < len(left) <= _LONGEST and 0 < len(right) <= _LONGEST) or set(left) & set(right):
        return False
    if _CLAUSE_WORD.search(claim, 0, mine[first - 1].start) or _CLAUSE_WORD.search(
        part, 0, theirs[second - 1].start
    ):
        return False
    shared = sum(block[2] for block in blocks)
    if shared < max(_LEAST_SHARED, _LEAST_SHARE * (len(mine) - len(left))):
        return False
    foreign = [word for word in left[-2:] if word not in around and ":" not in word]
    missing = [word for word in right[-2:] if word not in _keys(mine) and ":" not in word]
    anywhere = {one.key for text in parts for one in sequence(text)}
    rest, later = _keys(mine[first:]), _keys(theirs[second:])
    crossed = any(word in later for word in foreign) and any(word in rest for word in right[-2:])
    return crossed or (
        bool(missing) and any(is_known(word) for word in foreign if word not in anywhere)
    )


def _beginning(text: str) -> str:
    """The first words of a sentence, which name its subject."""
    named = sequence(text)[:_LEAST_SHARED]
    return text[: named[-1].start] + text[named[-1].start :].split(maxsplit=1)[0] if named else ""


def _keys(places: Sequence[Place]) -> list[str]:
    return [one.key for one in places]


def _blocks(mine: Sequence[Place], theirs: Sequence[Place]) -> list[tuple[int, int, int]]:
    matcher = SequenceMatcher(None, _keys(mine), _keys(theirs), autojunk=False)
    return [(one.a, one.b, one.size) for one in matcher.get_matching_blocks() if one.size]
