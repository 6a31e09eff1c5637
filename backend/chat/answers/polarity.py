"""Whether two texts agree on what is negated, limited and compared."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from chat.answers.lexicon import word_list
from chat.answers.words import WORD, stem

_HARD: Final = frozenset(
    word_list("""not never no none nothing nobody nowhere neither nor without cannot hardly""")
)
_SOFT: Final = frozenset(
    word_list("""lack lacks lacking lacked fail fails failed failing avoid avoids avoiding
avoided rarely
seldom barely unless except excluding excludes exclude excluded instead rather exempt ignore
ignores ignoring ignored prevent prevents prohibit prohibits prohibited forbid forbidden
refuse refuses free impossible unable missing absent stop stops zero nil waive waived
eliminate eliminates skip skips omit neglect overlook disregard disregards little few""")
)
# In these, the negator denies nothing.
_NO_DENIAL: Final = re.compile(
    r"\bnot (?:only|just|merely|simply)\b(?=[^.]*\bbut\b)|\bnot least\b|\bno (?:more|less|"
    r"fewer|later|longer|earlier|higher|lower) than\b"
    r"|\bnot (?:more|less|fewer|exceeding|under|over|to exceed|above|below) \b|\bno doubt\b|"
    r"\bwhether or not\b"
    r"|\bno other\b|\bnothing else\b|\bno matter\b|\bno\.(?= ?\d)|^(?:no|none)[,.](?= )",
    re.IGNORECASE,
)
_STOP_AT: Final = re.compile(
    r"[;:!?]|[.,](?!\d)|\bbut\b|\band\b|\bso\b|\bbecause\b|\bcan\b|\bwill\b", re.IGNORECASE
)
_TARGETS: Final = 3
_NEAREST: Final = 2


@dataclass(frozen=True, slots=True)
class Negation:
    """A negator and the content words that it reaches, the nearest first."""

    hard: bool
    targets: tuple[str, ...]
    subject: tuple[str, ...] = ()
    """The content word before it: "its value does not fall" denies as "does not lose value"."""
    affirms: bool = False
    """Whether it is itself denied, as in "not tax-free"."""


@lru_cache(maxsize=2048)
def negations(text: str) -> tuple[Negation, ...]:
    """Return the negators of a text."""
    masked = _NO_DENIAL.sub(lambda match: " " * len(match[0]), text)
    words = [
        (match[0].lower().replace("\u2019", "'"), match.start(), match.end())
        for match in WORD.finditer(masked)
    ]
    found: list[Negation] = []
    for index, (word, start, end) in enumerate(words):
        hard = _is_hard(word)
        if word == "free" and index and masked[start - 1 : start] == "-":
            bare = stem(words[index - 1][0])
            if any(_is_hard(one) for one, _, _ in words[max(0, index - 3) : index - 1]):
                # "Not tax-free" denies no tax.
                found = [one for one in found if not (one.hard and bare in one.targets[:1])]
                before = _clause_before(masked, words, index - 1)
                found.append(Negation(False, (bare,), before, affirms=True))
                continue
            free = f"{bare}-free"  # Met by the same word alone, though the source may tax as well.
            found.append(Negation(True, (bare, free), _clause_before(masked, words, index - 1)))
            continue
        if (word == "non" and masked[end : end + 1] == "-") or (hard or word in _SOFT):
            reached = _reached(masked, words, index, end)
            found.append(Negation(hard, reached, _subject(masked, words, index)))
        elif word.startswith(("un", "non")) and len(word) > 5:
            bare = stem(word.removeprefix("un").removeprefix("non"))
            found.append(Negation(False, (bare, stem(word))))
    return tuple(found)


def _is_hard(word: str) -> bool:
    return word in _HARD or word.endswith("n't")


def _reached(text: str, words: list[tuple[str, int, int]], index: int, end: int) -> tuple[str, ...]:
    targets: list[str] = []
    position = end
    for word, _start, word_end in words[index + 1 :]:
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


def negation_agrees(
    claim: str, source: str, claim_stems: frozenset[str], source_stems: frozenset[str]
) -> bool:
    """Whether what the claim negates is negated in the source, and the other way round."""
    mine, theirs = negations(claim), negations(source)
    free = _free_words(source, theirs)
    if any(one.affirms and _denies_again(one, theirs) for one in mine):
        return False
    left = list(theirs)
    loose: list[Negation] = []
    # Each denial answers one: "this is not the risk that they fail to pay" has one too many.
    for one in mine:
        twin = next((other for other in left if other.targets[:1] == one.targets[:1]), None)
        if twin is not None and (one.targets[0] not in free or _nearly_same(one, twin)):
            left.remove(twin)
        elif one.hard:
            loose.append(one)
    for one in loose:
        reached = {*one.targets, *one.subject}
        twin = next((other for other in left if _meets(reached, one, other, free)), None)
        if twin is not None:
            left.remove(twin)
        elif source_stems.intersection(one.targets[:_NEAREST]) or not any(
            claim_stems.intersection((*other.targets, *other.subject)) for other in left
        ):
            return False
    return not _denial_dropped(mine, theirs, claim_stems, free)


def _nearly_same(one: Negation, other: Negation) -> bool:
    return bool(
        set(one.targets[1:]) & set(other.targets[1:]) or set(one.subject) & set(other.subject)
    )


def _meets(reached: set[str], one: Negation, other: Negation, free: set[str]) -> bool:
    met = set(one.targets) & {*other.targets, *other.subject}
    return bool(met - free) or (bool(met) and len(reached & {*other.targets, *other.subject}) > 1)


def _denies_again(one: Negation, theirs: tuple[Negation, ...]) -> bool:
    """Whether a source denies what a claim says is not denied."""
    return any(
        other.hard
        and other.targets[:1] == one.targets
        and (not other.subject or bool(set(other.subject) & set(one.subject)))
        for other in theirs
    )


def _denial_dropped(
    mine: tuple[Negation, ...],
    theirs: tuple[Negation, ...],
    claim_stems: frozenset[str],
    free: set[str],
) -> bool:
    """Whether the claim says without denial what the source denies."""
    my_targets = {target for one in mine for target in (*one.targets, *one.subject)}
    denies = any(one.hard for one in mine)
    for one in theirs:
        if not one.hard:
            continue
        spoken_of = claim_stems.intersection(one.subject) - free - my_targets
        if len(one.subject) == 1 and spoken_of and not denies:
            return True
        if my_targets.intersection(one.targets):
            continue
        if claim_stems.intersection(one.targets[:_NEAREST]) - free:
            return True
    return False


def _free_words(text: str, found: tuple[Negation, ...]) -> set[str]:
    """The words that a text also has where nothing negates them."""
    counts: dict[str, int] = {}
    for match in WORD.finditer(text):
        if key := stem(match[0]):
            counts[key] = counts.get(key, 0) + 1
    for one in found:
        for target in (*one.targets, *(one.subject if len(one.subject) == 1 else ())):
            counts[target] = counts.get(target, 0) - 1
    return {key for key, count in counts.items() if count > 0}


_LIMIT: Final = re.compile(
    r"\b(?:unless|only if|only when|only where|but only|except|provided that|as long as|so "
    r"long as)\b",
    re.IGNORECASE,
)
_ANY_LIMIT: Final = re.compile(
    r"\b(?:unless|only|except|exceptions?|if|when|provided|as long as|so long as|other than|"
    r"apart from|excluding|"
    r"until|but|subject to|depending|within|limited|conditions?|requires?|restrict\w*)\b",
    re.IGNORECASE,
)


def limit_kept(claim: str, source: str, claim_stems: frozenset[str]) -> bool:
    """Whether a claim that repeats what a source limits names some limit too."""
    limit = _LIMIT.search(source)
    if limit is None or _ANY_LIMIT.search(claim):
        return True
    limited = source[: limit.start()] if limit.start() > 20 else source[limit.end() :]
    limited = re.split(r"[;:.]", limited)[-1]
    stems = {key for match in WORD.finditer(limited) if (key := stem(match[0]))}
    return len(claim_stems & stems) * 2 < len(claim_stems)


_OPPOSITES: Final = [
    tuple(frozenset(side.split()) for side in line.split("|"))
    for line in """
    rise rises rising rose risen increase increases increased increasing grow grows growing \
    grew grown climb climbs climbed up raise raises raised | fall falls falling fell fallen \
    decrease decreases decreased decreasing decline declines declined declining drop drops \
    dropped down reduce reduces reduced reducing shrink shrinks shrank
    high higher highest | low lower lowest
    more most greater | less least fewer
    gain gains gained gaining | lose loses losing lost loss losses
    profit profits | loss losses
    gain gains gained gaining | fall falls falling fell drop drops dropped decline declines declined
    rise rises rising rose increase increases grow grows | lose loses losing lost
    before | after
    buy buys buying bought purchase purchases | sell sells selling sold
    long longer | short shorter
    maximum max | minimum min
    always | never
    early earlier earliest | late later latest
    fixed | adjustable variable floating
    cheap cheaper cheapest | expensive costlier
    asset assets | liability liabilities
    lender lenders | borrower borrowers
    employer employers | employee employees
    traditional | roth
    debit | credit
    better best | worse worst
    include includes included including | exclude excludes excluded excluding
    allow allows allowed permit permits permitted | forbid forbids forbidden prohibit \
    prohibits prohibited
    safe safer safest | risky riskier riskiest
    fast faster quick quickly | slow slower slowly
    large larger largest big bigger biggest | small smaller smallest
    old older oldest | young younger youngest
    stock stocks share shares equities | bond bonds
    gross | net
    simple | compound
    annual annually yearly year years annum | monthly month months | weekly week weeks | \
    daily day days | quarterly quarter quarters
    taxable taxed | untaxed nontaxable
    revenue revenues sales | expense expenses
    active actively | passive passively
    domestic | foreign international
    public | private
    first | last
    largest biggest | smallest
    debtor | creditor
    landlord | tenant
    front | back
    bull | bear
    above | below
    inside | outside
    same | different
    strong stronger | weak weaker
    rich richer | poor poorer
    highest | lowest
    deductible | nondeductible
    many | few
    much | little
    lot | little
    """.strip().splitlines()
]
_SIDES: Final = {
    word: [
        (group, side)
        for group, sides in enumerate(_OPPOSITES)
        for side, forms in enumerate(sides)
        if word in forms
    ]
    for sides in _OPPOSITES
    for forms in sides
    for word in forms
}
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


@lru_cache(maxsize=2048)
def directions(text: str) -> tuple[Direction, ...]:
    """Return the words of a text that have an opposite."""
    words = [(match[0].lower(), match.start(), match.end()) for match in WORD.finditer(text)]
    keys = [stem(word) or (word if word in _SIDES else "") for word, _, _ in words]
    found: list[Direction] = []
    for index, (word, _, _) in enumerate(words):
        for group, side in _SIDES.get(word, ()):
            around: dict[str, float] = {}
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
                        weight *= 0.8
                        taken += 1
            negated = any(_is_hard(w) for w, _, _ in words[max(0, index - 3) : index])
            found.append(Direction(group, side, word, around, negated))
    return tuple(found)


def directions_agree(claim: str, source: str) -> bool:
    """Whether no word of the claim stands where the source has its opposite."""
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
        # What the claim's own opposite word matches as well speaks against nothing.
        rivals = [m for m in mine if m.group == one.group and m.side != one.side]
        against = max(
            (
                overlap
                for t in other
                if (overlap := _overlap(one, t))
                and not any(m.side == t.side and _overlap(m, t) >= overlap for m in rivals)
            ),
            default=0.0,
        )
        for_it = max((_overlap(one, t) for t in same), default=0.0)
        if against > for_it + (_MARGIN if same else 0.0):
            return False
    return True


def opposed(label: str, source: str) -> bool:
    """Whether a source speaks of the opposite of a label, and not of the label."""
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
# What a source says of one of these it does not say of the other.
_EXCLUSIVE: Final = frozenset(_LABELS[:3] + _LABELS[7:10])
_PART: Final = re.compile(r"[;:.]\s|,\s|\b(?:while|whereas|but)\b")


def label_sides_agree(claim: str, source: str) -> bool:
    """Whether a claim about one of two opposites repeats what the source says of that one."""
    mine = {(one.group, one.side) for one in directions(claim)}
    theirs = {(one.group, one.side) for one in directions(source)}
    said = {stem(match[0]) for match in WORD.finditer(claim)} - {""}
    for pair in _LABELS:
        places = [_SIDES[word][0] for word in pair]
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
                shared[side] += len(said & stems - {stem(word) for word in pair})
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
    rf"\b(?P<how>{'|'.join(sorted(_DOWN))}|{_UP})\b(?:\s+[\w-]+){{0,5}}?\s+than\b", re.IGNORECASE
)


def comparison_agrees(claim: str, source: str) -> bool:
    """Whether "bonds swing less than shares" keeps its two sides apart as the source does."""
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
    # A single shared word may stand on either side by chance.
    return same_way or straight < 2


def _is_down(text: str, found: re.Match[str]) -> bool:
    denied = re.search(r"\b(?:not|n't|never)\s+$", text[: found.start()]) is not None
    return (found["how"].lower() in _DOWN) != denied


def _sides(text: str, found: re.Match[str]) -> tuple[set[str], set[str]]:
    before = re.split(r"[;:.]", text[: found.start()])[-1]
    after = re.split(r"[;:.,]", text[found.end() :])[0]
    return (
        {key for match in WORD.finditer(before) if (key := stem(match[0]))},
        {key for match in WORD.finditer(after) if (key := stem(match[0]))},
    )
