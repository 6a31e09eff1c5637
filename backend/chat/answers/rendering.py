"""The text of the answer: the units that are kept, their numbers, and their citation markers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chat.answers.units import Kind, Unit, Units

_TRAILING: Final = re.compile(r"[.!?\u2026:;,\"'\u201d\u2019)*_]*\s*$")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of Unicode code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PlacedCitations:
    """The numbers of the citations that prove a part of a unit, `text[start:end]`."""

    start: int
    end: int
    numbers: tuple[int, ...]
    marker_offset: int
    """Where the markers go."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer, the spans that each citation proves, and the spans of the chosen figures.

    Attributes:
        ends: Where each unit that was written ends in the text, by its index.
    """

    text: str
    spans: Mapping[int, Sequence[Span]]
    figures: Sequence[Span]
    ends: Mapping[int, int]


class Renderer:
    """Writes the units that are kept.

    Args:
        units: All units.
        kept: The indices of those to write.
    """

    def __init__(self, units: Units, kept: frozenset[int]) -> None:
        self._units = units
        self._kept = kept
        self._pieces: list[str] = []
        self._length = 0
        self._spans: dict[int, list[Span]] = {}
        self._figures: list[Span] = []

    def render(
        self, placed: Mapping[int, Sequence[PlacedCitations]], figures: Mapping[int, Sequence[Span]]
    ) -> Rendered:
        """Return the answer.

        Args:
            placed: The citations of each unit.
            figures: Spans of the completion, by unit, whose place in the answer is wanted.
        """
        numbers = self._numbers()
        gap = ""
        ends: dict[int, int] = {}
        for unit in self._units.units:
            gap = max(gap, unit.gap, key=lambda one: (one.count("\n"), len(one)))
            if unit.index not in self._kept:
                continue
            if self._pieces:
                self._write(self._gap(gap, unit))
            gap = ""
            self._write(self._prefix(unit, numbers))
            self._write_unit(unit, placed.get(unit.index, ()), figures.get(unit.index, ()))
            ends[unit.index] = self._length
        return Rendered("".join(self._pieces), self._spans, self._figures, ends)

    def _write(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    @staticmethod
    def _gap(gap: str, unit: Unit) -> str:
        lines = min(gap.count("\n"), 2)
        if unit.line_start:
            return "\n" * max(lines, 1)
        return "\n" * lines or " "

    def _numbers(self) -> dict[int, int]:
        """The new numbers of ordered items: removed items leave no gaps."""
        lists: dict[tuple[int, int, int | None], list[Unit]] = {}
        for unit in self._units.units:
            if unit.number is not None:
                lists.setdefault((unit.paragraph, unit.depth, unit.parent), []).append(unit)
        numbers: dict[int, int] = {}
        for items in lists.values():
            first = items[0].number or 0
            counts_up = all(item.number == first + place for place, item in enumerate(items))
            kept = [item for item in items if item.index in self._kept]
            for place, item in enumerate(kept):
                numbers[item.index] = first + place if counts_up else item.number or 0
        return numbers

    @staticmethod
    def _prefix(unit: Unit, numbers: Mapping[int, int]) -> str:
        if unit.index not in numbers:
            return unit.prefix
        return re.sub(r"\d{1,3}", str(numbers[unit.index]), unit.prefix, count=1)

    def _write_unit(
        self, unit: Unit, placed: Sequence[PlacedCitations], figures: Sequence[Span]
    ) -> None:
        text = self._units.text
        unbalanced = self._units.text_of(unit).count("**") % 2 and "**" not in unit.prefix
        inserts: dict[int, list[int]] = {}
        for part in placed:
            at = self._insertion(unit, part)
            inserts.setdefault(at, [])
            inserts[at] += [number for number in part.numbers if number not in inserts[at]]
        dropped = _positions(text, "**", unit) if unbalanced else []
        offsets: dict[int, int] = {}
        position = unit.start
        for stop in sorted({*inserts, *dropped, *_edges(unit, placed, figures), unit.end}):
            offsets.setdefault(position, self._length)
            self._write(text[position:stop])
            position = stop
            if stop in inserts:
                offsets.setdefault(stop, self._length)
                markers = "".join(f"[{number}]" for number in inserts[stop])
                last = next((piece[-1] for piece in reversed(self._pieces) if piece), " ")
                after = " " if text[stop : stop + 1].isalnum() else ""  # "[2] adds that …"
                self._write(("" if last.isspace() else " ") + markers + after)
            if stop in dropped:
                position += 2
            offsets.setdefault(position, self._length)
        end = self._length
        for part in placed:
            start = self._new_offset(offsets, part.start, unit, end)
            stop = end if part.end >= unit.end else self._new_offset(offsets, part.end, unit, end)
            for number in part.numbers:
                self._spans.setdefault(number, []).append(Span(start, stop))
        for span in figures:
            self._figures.append(
                Span(
                    self._new_offset(offsets, span.start, unit, end),
                    self._new_offset(offsets, span.end, unit, end),
                )
            )

    @staticmethod
    def _new_offset(offsets: Mapping[int, int], position: int, unit: Unit, end: int) -> int:
        while position < unit.end:
            if position in offsets:
                return offsets[position]
            position += 1
        return end

    def _insertion(self, unit: Unit, part: PlacedCitations) -> int:
        """Where markers go: before the unit's last punctuation, or at the end of the right cell."""
        text = self._units.text
        if unit.kind is Kind.ROW:
            cell = next(
                (one for one in unit.cells if one.start <= part.marker_offset <= one.end), None
            )
            if cell is None:
                cell = next((one for one in reversed(unit.cells) if one.text), unit.cells[-1])
            return min(cell.end, unit.end)
        if part.marker_offset < unit.end:
            tail = _TRAILING.match(text, part.marker_offset, unit.end)
            if not (tail and tail.end() == unit.end):
                return max(part.marker_offset, unit.start)
        found = _TRAILING.search(text[unit.start : unit.end])
        return unit.start + found.start() if found and found.start() else unit.end


def _positions(text: str, mark: str, unit: Unit) -> list[int]:
    return [
        match.start()
        for match in re.finditer(re.escape(mark), text[: unit.end])
        if match.start() >= unit.start
    ]


def _edges(unit: Unit, placed: Sequence[PlacedCitations], figures: Sequence[Span]) -> list[int]:
    edges = [edge for part in placed for edge in (part.start, part.end)]
    edges += [edge for span in figures for edge in (span.start, span.end)]
    return [edge for edge in edges if unit.start <= edge <= unit.end]
