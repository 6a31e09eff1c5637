"""Whether two texts agree on what is negated and limited."""

import re
from typing import Final

from chat.answers.negations import Negation, negations
from chat.answers.words import WORD, stem

_NEAREST: Final = 2


def negation_agrees(
    claim: str, source: str, claim_stems: frozenset[str], source_stems: frozenset[str]
) -> bool:
    """Whether the claim and the source negate the same words."""
    mine, theirs = negations(claim), negations(source)
    free = _words_without_negation(source, theirs)
    if any(one.affirms and _negates_again(one, theirs) for one in mine):
        return False
    remaining = list(theirs)
    unmatched: list[Negation] = []
    # Each negation matches one: "this is not the risk that they fail to pay" has one too many.
    for one in mine:
        match = next((other for other in remaining if other.targets[:1] == one.targets[:1]), None)
        # "Without one" at the end of a clause negates no content word.
        is_free = bool(one.targets) and one.targets[0] in free
        if match is not None and (not is_free or _nearly_same(one, match)):
            remaining.remove(match)
        elif one.hard:
            unmatched.append(one)
    for one in unmatched:
        reached = {*one.targets, *one.subject}
        match = next((other for other in remaining if _meets(reached, one, other, free)), None)
        nearest = one.targets[:1]
        if match is not None and (
            not source_stems.intersection(nearest)
            or set(nearest) & {*match.targets, *match.subject}
        ):
            remaining.remove(match)
        elif source_stems.intersection(one.targets[:_NEAREST]) or not any(
            claim_stems.intersection((*other.targets, *other.subject)) for other in remaining
        ):
            return False
    return not _negation_dropped(mine, theirs, claim_stems, source_stems, free)


def _nearly_same(one: Negation, other: Negation) -> bool:
    return bool(
        set(one.targets[1:]) & set(other.targets[1:]) or set(one.subject) & set(other.subject)
    )


def _meets(reached: set[str], one: Negation, other: Negation, free: set[str]) -> bool:
    met = set(one.targets) & {*other.targets, *other.subject}
    return bool(met - free) or (bool(met) and len(reached & {*other.targets, *other.subject}) > 1)


def _negates_again(one: Negation, theirs: tuple[Negation, ...]) -> bool:
    """Whether a source negates "tax" where the claim says "not tax-free"."""
    return any(other.hard and other.targets[:1] == one.targets for other in theirs)


def _negation_dropped(
    mine: tuple[Negation, ...],
    theirs: tuple[Negation, ...],
    claim_stems: frozenset[str],
    source_stems: frozenset[str],
    free: set[str],
) -> bool:
    """Whether the claim states without negation what the source negates."""
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


def _words_without_negation(text: str, found: tuple[Negation, ...]) -> set[str]:
    """The words that a text also contains without a negation."""
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
    """Whether a claim keeps a limit of the source, such as "unless", and adds none."""
    if _UNLESS.search(claim) and not _ANY_LIMIT.search(source):
        return False
    limit = _LIMIT.search(source)
    if limit is None or _ANY_LIMIT.search(claim):
        return True
    limited = source[: limit.start()] if limit.start() > 20 else source[limit.end() :]
    limited = re.split(r"[;:.]", limited)[-1]
    stems = {key for match in WORD.finditer(limited) if (key := stem(match[0]))}
    return len(claim_stems & stems) * 2 < len(claim_stems)
