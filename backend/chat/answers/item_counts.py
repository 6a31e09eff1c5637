"""The number by which a lead-in counts its items: "three steps:"."""

import re

from chat.answers.figures import Figure
from chat.answers.quantities import figures
from chat.answers.units import Kind, Unit, Units, ends_in_colon


def count_of_items(units: Units, unit: Unit) -> tuple[Figure, int] | None:
    """Return the figure by which a lead-in counts its items, and how many items follow."""
    children = [
        child for child in units.children(unit.index) if child.kind in {Kind.ITEM, Kind.ROW}
    ]
    if not children:
        return None
    text = units.text_of(unit)
    for figure in figures(text):
        whole = figure.unit == "" and figure.value == int(figure.value) and 1 <= figure.value <= 30
        following = re.match(r"\s+(?:[\w-]+\s+){0,3}?\w+s\b", text[figure.end :])
        if whole and following and (ends_in_colon(text) or unit.kind is Kind.HEADING):
            return figure, len(children)
    return None
