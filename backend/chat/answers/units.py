"""The units of a completion: sentences, headings, list items and table rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from chat.answers.markers.marker import Marker
from chat.answers.tables import Cell, Scale


class Kind(StrEnum):
    """What a unit is in the layout of the text."""

    SENTENCE = "sentence"
    ITEM = "item"
    ROW = "row"
    HEADER = "header"
    """The names of a table's columns, and the rule below them."""
    HEADING = "heading"


@dataclass(slots=True)
class Unit:
    """A sentence, heading, list item or table row: `text[start:end]` without its list marker.

    Attributes:
        line_start: Whether it begins a line, after its prefix (indent and list marker).
        paragraph: Units of one paragraph, list or table have the same number.
        parent: The index of the lead-in or heading that introduces it.
        marks: The citations within it and after it.
    """

    index: int
    kind: Kind
    start: int
    end: int
    paragraph: int
    line_start: bool
    gap: str
    """The white space between it and the unit before."""
    prefix: str = ""
    number: int | None = None
    """The number of an ordered list's item, within the prefix."""
    depth: int = 0
    parent: int | None = None
    marks: list[Marker] = field(default_factory=list)
    cells: Sequence[Cell] = ()
    header: Sequence[Cell] = ()
    caption: Scale = field(default_factory=Scale)


@dataclass(frozen=True, slots=True)
class Units:
    """The text of a completion and its units in order."""

    text: str
    units: Sequence[Unit]
    _by_parent: dict[int | None, list[Unit]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def text_of(self, unit: Unit) -> str:
        """Return the words of a unit."""
        return self.text[unit.start : unit.end]

    def children(self, index: int) -> list[Unit]:
        """Return the units that a unit introduces."""
        if not self._by_parent:
            for unit in self.units:
                self._by_parent.setdefault(unit.parent, []).append(unit)
        return self._by_parent.get(index, [])


def ends_in_colon(text: str) -> bool:
    """Whether a unit introduces what follows it."""
    return text.rstrip(" *_").endswith(":")
