"""Whether two texts agree on what is negated and limited."""

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
    r"\b(?:never|cannot|not|\w+n['\u2019]t)(?: be)?(?: \w+)? "
    r"(?:exceed|(?:more|higher|greater) than)\b|"
    r"\bwhether or not\b"
    # "Do not close it, or you pay" says what closing it costs.
    r"|^\W*(?:do not|don['\u2019]t|never)\b(?=[^.]*\bor (?:else|you|it)\b)"
    r"|\bno other\b|\bnothing else\b|\bno matter\b|\bno\.(?= ?\d)|^(?:no|none)[,.](?= )"
    r"|\bno[:;](?= )",
    re.IGNORECASE,
)
_NOT_UN: Final = ("under", "unit", "union", "uniq", "unif", "univ", "until", "unless", "none")
_STOP_AT: Final = re.compile(
    r"[;:!?]|[.,](?!\d)|\bbut\b|\band\b|\bso\b|\bbecause\b|\bcan\b|\bwill\b", re.IGNORECASE
)
_CLAUSE: Final = re.compile(
    r"[;:]\s|\.\s|,?\s(?:and|but|while|whereas|although|though|so|because|since)\b|,\s"
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
    clause: frozenset[str] = frozenset()
    """The content words of its clause."""


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
        hard = is_hard(word)
        if word == "free" and index and masked[start - 1 : start] == "-":
            bare = stem(words[index - 1][0])
            if any(is_hard(one) for one, _, _ in words[max(0, index - 3) : index - 1]):
                # "Not tax-free" denies no tax.
                found = [one for one in found if not (one.hard and bare in one.targets[:1])]
                before = _clause_before(masked, words, index - 1)
                found.append(Negation(False, (bare,), before, affirms=True))
                continue
            free = f"{bare}-free"  # Met by the same word alone, though the source may tax as well.
            found.append(Negation(True, (bare, free), _clause_before(masked, words, index - 1)))
            continue
        than = word == "other" and words[index + 1 : index + 2] and words[index + 1][0] == "than"
        if than or (word == "non" and masked[end : end + 1] == "-") or (hard or word in _SOFT):
            reached = _reached(masked, words, index, end)
            around = _clause(text, start)
            found.append(Negation(hard, reached, _subject(masked, words, index), clause=around))
        elif len(word) > 5 and word.startswith(("un", "non")) and not word.startswith(_NOT_UN):
            bare = stem(word.removeprefix("un").removeprefix("non"))
            found.append(Negation(False, (bare, stem(word))))
    return tuple(found)


def _clause(text: str, position: int) -> frozenset[str]:
    cuts = [0, *(match.start() for match in _CLAUSE.finditer(text)), len(text)]
    low = max(cut for cut in cuts if cut <= position)
    high = min((cut for cut in cuts if cut > position), default=len(text))
    return frozenset(key for match in WORD.finditer(text, low, high) if (key := stem(match[0])))


def is_hard(word: str) -> bool:
    """Whether a word denies outright: "not", "never", "isn't"."""
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
        nearest = one.targets[:1]
        if twin is not None and (
            not source_stems.intersection(nearest) or set(nearest) & {*twin.targets, *twin.subject}
        ):
            left.remove(twin)
        elif source_stems.intersection(one.targets[:_NEAREST]) or not any(
            claim_stems.intersection((*other.targets, *other.subject)) for other in left
        ):
            return False
    return not _denial_dropped(mine, theirs, claim_stems, source_stems, free)


def _nearly_same(one: Negation, other: Negation) -> bool:
    return bool(
        set(one.targets[1:]) & set(other.targets[1:]) or set(one.subject) & set(other.subject)
    )


def _meets(reached: set[str], one: Negation, other: Negation, free: set[str]) -> bool:
    met = set(one.targets) & {*other.targets, *other.subject}
    return bool(met - free) or (bool(met) and len(reached & {*other.targets, *other.subject}) > 1)


def _denies_again(one: Negation, theirs: tuple[Negation, ...]) -> bool:
    """Whether a source denies what a claim says is not denied."""
    return any(other.hard and other.targets[:1] == one.targets for other in theirs)


def _denial_dropped(
    mine: tuple[Negation, ...],
    theirs: tuple[Negation, ...],
    claim_stems: frozenset[str],
    source_stems: frozenset[str],
    free: set[str],
) -> bool:
    """Whether the claim says without denial what the source denies."""
    my_targets = {target for one in mine for target in (*one.targets, *one.subject)}
    denies = any(one.hard for one in mine)
    for one in theirs:
        if not one.hard or (
            one.clause
            and len(claim_stems & one.clause) <= 1 < len(claim_stems & source_stems - one.clause)
        ):
            continue  # The claim repeats the other clauses of the sentence.
        if one.targets[:1] and one.targets[0] in free and one.targets[0] in claim_stems:
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
_UNLESS: Final = re.compile(r"\b(?:unless|only if|only when)\b", re.IGNORECASE)
_ANY_LIMIT: Final = re.compile(
    r"\b(?:unless|only|except|exceptions?|if|when|provided|as long as|so long as|other than|"
    r"apart from|excluding|"
    r"until|but|subject to|waived|exempt|depending|within|limited|conditions?|requires?|"
    r"restrict\w*)\b",
    re.IGNORECASE,
)


def limit_kept(claim: str, source: str, claim_stems: frozenset[str]) -> bool:
    """Whether a claim names a limit where the source does, and none where it does not."""
    if _UNLESS.search(claim) and not _ANY_LIMIT.search(source):
        return False
    limit = _LIMIT.search(source)
    if limit is None or _ANY_LIMIT.search(claim):
        return True
    limited = source[: limit.start()] if limit.start() > 20 else source[limit.end() :]
    limited = re.split(r"[;:.]", limited)[-1]
    stems = {key for match in WORD.finditer(limited) if (key := stem(match[0]))}
    return len(claim_stems & stems) * 2 < len(claim_stems)
