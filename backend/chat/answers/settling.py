"""Which units of a completion are settled while the model still writes it.

A unit that comes later can remove earlier ones, cover them with its citation, or be counted by
their lead-in. Each of these effects ends at a paragraph that begins anew: text from there on does
not change what is before.
"""

import re
from collections.abc import Sequence, Set
from typing import Final

from chat.answers.quantities import figures
from chat.answers.removal import begins_with_limit
from chat.answers.roles import Role
from chat.answers.units import Kind, Unit, Units, ends_in_colon

# Enough of a paragraph to see that it is no list item, table, citation, or limit. A bracket may
# open a citation of the paragraph before.
_BEGUN: Final = re.compile(r"[^\w|\[({<\u3010\u27e6]*\w[^|\[({<\u3010\u27e6]{31}")
_LONG: Final = 48
_PARAGRAPH: Final = re.compile(r"\n[^\S\n]*\n\s*(?=\S)")
_CREDIT: Final = re.compile(
    r"\W*(?:sources?|references?|refs?|citations?|cited|see|from|per|cf|according|based|notes?|"
    r"footnotes?|documents?|docs?|passages?|chunks?|excerpts?)\b",
    re.IGNORECASE,
)


def last_paragraph(text: str) -> int:
    """Return where the last paragraph starts that is long enough to settle those before it.

    0 if there is none.
    """
    starts = [one.end() for one in _PARAGRAPH.finditer(text) if len(text) - one.end() > _LONG]
    return max(starts, default=0)


def settled_units(units: Units, roles: Sequence[Role], kept: Set[int]) -> int:
    """Return how many units at the beginning no further text can change.

    Args:
        units: The units of the text so far.
        roles: The role of each unit.
        kept: The indices of the units that the check keeps.
    """
    for first in range(len(units.units) - 1, 0, -1):
        if _begins_anew(units, first) and _heading_is_settled(units, roles, kept, first):
            # An answer without a kept claim is reduced to what makes sense alone.
            claims = (index for index in kept if index < first and roles[index] is Role.CLAIM)
            return first if any(True for _ in claims) else 0
    return 0


def _begins_anew(units: Units, first: int) -> bool:
    unit, previous = units.units[first], units.units[first - 1]
    text = units.text_of(unit)
    return (
        unit.paragraph != previous.paragraph
        and unit.gap.count("\n") > 1
        and unit.kind in {Kind.SENTENCE, Kind.HEADING}
        and (unit.parent is None or units.units[unit.parent].kind is Kind.HEADING)
        and not ends_in_colon(units.text_of(previous))
        and _BEGUN.match(text) is not None
        and not begins_with_limit(text)
        and not _CREDIT.match(text)
        and not any(mark.unknown for one in units.units[:first] for mark in one.marks)
    )


def _heading_is_settled(units: Units, roles: Sequence[Role], kept: Set[int], first: int) -> bool:
    """Return whether the last heading before a unit stays, however its section goes on."""
    heading = _last_heading(units.units[:first])
    if heading is None:
        return True
    return (
        roles[heading.index] is Role.STRUCTURE
        and not figures(units.text_of(heading))
        and any(one.index in kept for one in units.children(heading.index) if one.index < first)
    )


def _last_heading(units: Sequence[Unit]) -> Unit | None:
    return next((unit for unit in reversed(units) if unit.kind is Kind.HEADING), None)
