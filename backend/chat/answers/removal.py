"""Which other units must be removed with a unit, so that no removal reverses a meaning."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from chat.answers.claims import Reason
from chat.answers.item_counts import count_of_items
from chat.answers.negations import negations
from chat.answers.roles import Role
from chat.answers.units import Kind, Unit, Units, ends_in_colon

_LIMITS: Final = re.compile(
    r"(?<!not only )\b(?:but(?! also)|unless|only if|only when|except|however|provided that|as "
    r"long as)\b",
    re.IGNORECASE,
)
_LIMITS_FIRST: Final = re.compile(
    r"\W*(?:and\s+)?(?:but|unless|only|except|however|although|though|yet|nevertheless|"
    r"nonetheless|still,|that said|"
    r"otherwise|on the other hand|by contrast|conversely|even so|instead|provided)\b",
    re.IGNORECASE,
)
_PRONOUN: Final = re.compile(
    r"\W*(?:(?:and|so|also|therefore|thus|hence|then|because of|as a result,?|in addition,?|"
    r"for example,?|for instance,?|"
    r"in (?:this|that|these|those) cases?,?|for (?:this|that) reason,?)\s+)?"
    r"(?:it|its|they|their|them|this|that|these|those|he|she|his|her|such|both|neither|either|"
    r"the (?:former|latter|same)|"
    r"one|doing so|otherwise|therefore|thus|hence|as a result|consequently|for example|for "
    r"instance)\b",
    re.IGNORECASE,
)
_HOWEVER: Final = re.compile(r"\bhowever\b(?! (?:much|many|long))|\bexceptions?\b", re.IGNORECASE)
_LISTED: Final = frozenset({Kind.ITEM, Kind.ROW})


def begins_with_limit(text: str) -> bool:
    """Return whether a text begins as a limit of what precedes it, such as "However"."""
    return _LIMITS_FIRST.match(text) is not None


def removals(
    units: Units, roles: Sequence[Role], failed: Mapping[int, Reason]
) -> dict[int, Reason]:
    """Return every unit to remove, with the reason of the failed unit that causes it."""
    gone: dict[int, Reason] = dict(failed)
    while True:
        before = len(gone)
        for unit in units.units:
            if unit.index in gone:
                _remove_dependents(units, roles, unit, gone)
            else:
                _remove_orphan(units, roles, unit, gone)
        if len(gone) == before:
            return gone


def _remove_dependents(
    units: Units, roles: Sequence[Role], unit: Unit, gone: dict[int, Reason]
) -> None:
    """Remove the units that a removed unit limits or introduces, or that refer to it."""
    reason = gone[unit.index]
    if roles[unit.index] is Role.STRUCTURE:
        return
    text = units.text_of(unit)
    limits = _LIMITS_FIRST.match(text) or (
        unit.kind is Kind.SENTENCE
        and (_HOWEVER.search(text) or (_PRONOUN.match(text) and _LIMITS.search(text)))
    )
    if limits and unit.kind is not Kind.ROW:
        for other in units.units:
            if other.paragraph == unit.paragraph and other.kind is unit.kind:
                gone.setdefault(other.index, reason)
    if unit.kind is Kind.SENTENCE and _LIMITS_FIRST.match(text) and unit.index:
        # "However" at the beginning of a paragraph limits the paragraph before.
        previous = units.units[unit.index - 1]
        if previous.paragraph != unit.paragraph and previous.kind in {Kind.SENTENCE, Kind.ITEM}:
            for other in units.units:
                if other.paragraph == previous.paragraph:
                    gone.setdefault(other.index, reason)
    # Proven items are kept without their lead-in, unless it negates or limits them.
    turns = any(one.hard for one in negations(text)) or _LIMITS.search(text)
    if (ends_in_colon(text) and turns) or unit.kind is Kind.ITEM:
        for child in units.children(unit.index):
            gone.setdefault(child.index, reason)
    if unit.index + 1 < len(units.units):
        following = units.units[unit.index + 1]
        spoken = following.kind in {Kind.SENTENCE, Kind.ITEM}
        claims = spoken and roles[following.index] is not Role.STRUCTURE
        if claims and _PRONOUN.match(units.text_of(following)):
            gone.setdefault(following.index, reason)


def _remove_orphan(
    units: Units, roles: Sequence[Role], unit: Unit, gone: dict[int, Reason]
) -> None:
    """Remove a unit that now introduces nothing, or counts items that were removed."""
    children = units.children(unit.index)
    if unit.kind is Kind.HEADER:
        rows = [
            other
            for other in units.units
            if other.kind is Kind.ROW and other.paragraph == unit.paragraph
        ]
        if all(row.index in gone for row in rows):
            gone[unit.index] = Reason.NO_CITATION
        return
    first = next((gone[child.index] for child in children if child.index in gone), None)
    if first is None:
        following = units.units[unit.index + 1] if unit.index + 1 < len(units.units) else None
        is_reply = roles[unit.index] is Role.STRUCTURE and unit.kind is Kind.SENTENCE
        asks = units.text_of(unit).rstrip("*_ ").endswith("?")
        if (
            (
                is_reply
                and not asks
                and following is not None
                and following.index in gone
                and not children
            )
            and following.paragraph == unit.paragraph
            and len(units.text_of(unit)) < 30
        ):
            gone[unit.index] = gone[following.index]
        return
    text = units.text_of(unit)
    introduces = ends_in_colon(text) or unit.kind is Kind.HEADING
    if introduces and all(child.index in gone for child in children):
        gone[unit.index] = first
        return
    counted = count_of_items(units, unit)
    if counted is not None:
        left = sum(1 for child in children if child.kind in _LISTED and child.index not in gone)
        if counted[0].value != left:
            gone[unit.index] = first
