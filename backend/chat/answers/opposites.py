"""Whether two texts agree on words that have an opposite, and on what they compare."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from chat.answers.lexicon import word_list
from chat.answers.negations import is_hard
from chat.answers.opposite_words import SIDES
from chat.answers.words import WORD, stem

_ORDER: Final = SIDES["before"][0][0]
_WINDOW: Final = 3
_MARGIN: Final = 0.15


@dataclass(frozen=True, slots=True)
class Direction:
    """A word that has an opposite, and the words around it with their weights."""

    group: int
    side: int
    word: str
    around: dict[str, float]
    negated: bool
    left: frozenset[str]
    right: frozenset[str]


@lru_cache(maxsize=2048)
def directions(text: str) -> tuple[Direction, ...]:
    """Return the words of a text that have an opposite."""
    words = [(match[0].lower(), match.start(), match.end()) for match in WORD.finditer(text)]
    keys = [stem(word) or (word if word in SIDES else "") for word, _, _ in words]
    found: list[Direction] = []
    for index, (word, _, _) in enumerate(words):
        for group, side in SIDES.get(word, ()):
            around: dict[str, float] = {}
            sides: dict[int, set[str]] = {-1: set(), 1: set()}
            for step in (-1, 1):
                weight, position, taken = 1.0, index, 0
                while 0 <= position + step < len(words) and taken < _WINDOW:
                    one, two = sorted((position, position + step))
                    gap = text[words[one][2] : words[two][1]]
                    if any(mark in gap for mark in ",;:.()"):
                        weight *= 0.4
                    position += step
                    if keys[position]:
                        around[keys[position]] = max(weight, around.get(keys[position], 0.0))
                        sides[step].add(keys[position])
                        weight *= 0.8
                        taken += 1
            negated = any(is_hard(w) for w, _, _ in words[max(0, index - 3) : index])
            left, right = frozenset(sides[-1]), frozenset(sides[1])
            found.append(Direction(group, side, word, around, negated, left, right))
    return tuple(found)


def directions_agree(claim: str, source: str) -> bool:
    """Whether the claim never uses a word where the source uses its opposite."""
    theirs = directions(source)
    mine = directions(claim)
    for one in mine:
        same = [t for t in theirs if t.group == one.group and t.side == one.side]
        other = [
            t
            for t in theirs
            if t.group == one.group and t.side != one.side and t.negated == one.negated
        ]
        if not other:
            continue
        # If the claim has the opposite word as well, that word may match the source.
        rivals = [m for m in mine if m.group == one.group and m.side != one.side]
        against = max(
            (
                overlap
                for t in other
                if not (one.group == _ORDER and _is_converse(one, t))
                and (overlap := _overlap(one, t))
                and not any(m.side == t.side and _overlap(m, t) >= overlap for m in rivals)
            ),
            default=0.0,
        )
        for_it = max((_overlap(one, t) for t in same), default=0.0)
        if against > for_it + (_MARGIN if same else 0.0):
            return False
    return True


def _is_converse(one: Direction, other: Direction) -> bool:
    """Whether two directions are "X before Y" and "Y after X", or compare nothing."""
    if not one.right or not other.right:
        return True
    straight = len(one.left & other.left) + len(one.right & other.right)
    return len(one.left & other.right) + len(one.right & other.left) > straight


def opposed(label: str, source: str) -> bool:
    """Whether a source has the opposite of a label's word, but not the word itself."""
    sides = {(one.group, one.side) for one in directions(source)}
    groups = {group for group, _ in sides}
    return any(
        one.group in groups and (one.group, one.side) not in sides for one in directions(label)
    )


_LABELS: Final = (
    ("traditional", "roth"),
    ("fixed", "adjustable"),
    ("stock", "bond"),
    ("employer", "employee"),
    ("lender", "borrower"),
    ("asset", "liability"),
    ("debit", "credit"),
    ("simple", "compound"),
    ("gross", "net"),
    ("active", "passive"),
    ("public", "private"),
    ("domestic", "foreign"),
    ("revenue", "expense"),
)
# A statement about one of such a pair is never true of the other.
_EXCLUSIVE: Final = frozenset(_LABELS[:3] + _LABELS[7:10])
_PART: Final = re.compile(r"[;:.]\s|,\s|\b(?:while|whereas|but)\b")


def label_sides_agree(claim: str, source: str) -> bool:
    """Whether a claim about one of two opposites repeats the source's words about that one."""
    mine = {(one.group, one.side) for one in directions(claim)}
    theirs = {(one.group, one.side) for one in directions(source)}
    claim_stems = {stem(match[0]) for match in WORD.finditer(claim)} - {""}
    for pair in _LABELS:
        places = [SIDES[word][0] for word in pair]
        here = [place for place in places if place in mine]
        if len(here) != 1:
            continue
        if pair in _EXCLUSIVE and here[0] not in theirs and theirs.intersection(places):
            return False
        shared = dict.fromkeys(places, 0)
        side = None
        for part in _PART.split(source):
            found = {(one.group, one.side) for one in directions(part)}.intersection(places)
            side = found.pop() if len(found) == 1 else (None if found else side)
            if side is not None:
                stems = {stem(match[0]) for match in WORD.finditer(part)}
                shared[side] += len(claim_stems & stems - {stem(word) for word in pair})
        other = next(place for place in places if place != here[0])
        if shared[other] > shared[here[0]]:
            return False
    return True


def _overlap(one: Direction, other: Direction) -> float:
    return sum(
        min(weight, other.around[key]) for key, weight in one.around.items() if key in other.around
    )


_DOWN: Final = frozenset(
    word_list(
        """less fewer lower smaller shorter cheaper slower worse younger weaker poorer safer
        later"""
    )
)
_UP: Final = (
    "more|higher|larger|bigger|greater|longer|better|older|riskier|faster|stronger|costlier|dearer|"
    "richer|earlier|wider|steeper"
)
_THAN: Final = re.compile(
    r"\bcomes? (?P<order>before|after)\b|\brather than\b|\binstead of\b|"
    rf"\b(?P<how>{'|'.join(sorted(_DOWN))}|{_UP})\b(?:\s+[\w-]+){{0,5}}?\s+than\b",
    re.IGNORECASE,
)


def comparison_agrees(claim: str, source: str) -> bool:
    """Whether the sides of "bonds swing less than shares" are in the source's order."""
    mine, theirs = _THAN.search(claim), _THAN.search(source)
    if mine is None or theirs is None:
        return True
    my_left, my_right = _sides(claim, mine)
    left, right = _sides(source, theirs)
    straight = len(my_left & left - right) + len(my_right & right - left)
    crossed = len(my_left & right - left) + len(my_right & left - right)
    if straight == crossed:
        return True
    same_way = _is_down(claim, mine) == _is_down(source, theirs)
    if crossed > straight:
        return not same_way
    # A single shared word may be on either side by chance.
    return same_way or straight < 2


def _is_down(text: str, found: re.Match[str]) -> bool:
    denied = re.search(r"\b(?:not|n't|never)\s+$", text[: found.start()]) is not None
    return (
        (found["how"] or "").lower() in _DOWN or (found["order"] or "").lower() == "after"
    ) != denied


def _sides(text: str, found: re.Match[str]) -> tuple[set[str], set[str]]:
    before = re.split(r"[;:.,]" if found["order"] else r"[;:.]", text[: found.start()])[-1]
    after = re.split(r"[;:.,]", text[found.end() :])[0]
    return (
        {key for match in WORD.finditer(before) if (key := stem(match[0]))},
        {key for match in WORD.finditer(after) if (key := stem(match[0]))},
    )


_UNLIKE: Final = re.compile(
    r"\bunlike\s+(?P<one>[^,;.]{3,60}),\s+(?P<other>[^,;.]{2,80})", re.IGNORECASE
)


def contrast_agrees(claim: str, source: str) -> bool:
    """Whether a claim does not state about X what "unlike X, Y …" in the source states about Y."""
    found = _UNLIKE.search(source)
    if found is None or "unlike" in claim.lower():
        return True
    one, other = ([stem(m[0]) for m in WORD.finditer(found[name])] for name in ("one", "other"))
    claim_stems = {stem(match[0]) for match in WORD.finditer(claim)}
    names, subject = set(one) - {""}, next((key for key in other if key), "")
    denied = any(is_hard(match[0].lower()) for match in WORD.finditer(claim))
    return denied or not names or not names <= claim_stems or subject in claim_stems
