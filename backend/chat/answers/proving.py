"""Proves the units of a completion by the passages that they cite."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chat.answers.claims import Claim, Reason, Verdict
from chat.answers.item_counts import count_of_items
from chat.answers.markers.marker import Marker
from chat.answers.passages import Statement
from chat.answers.reading import Reading, Row, read, read_row
from chat.answers.rendering import Span
from chat.answers.support import Support, unique
from chat.answers.units import Kind, Unit, Units, ends_in_colon


@dataclass(frozen=True, slots=True)
class ProvenPart:
    """A part of a unit, and the statements that prove it."""

    start: int
    end: int
    marker_offset: int
    """Where the markers of the statements go."""
    statements: Sequence[Statement]


@dataclass(slots=True)
class Proof:
    """The proven parts of a unit, and the spans of figures that only the question contains."""

    parts: list[ProvenPart] = field(default_factory=list)
    question_figures: list[Span] = field(default_factory=list)

    def add(self, start: int, end: int, marker_offset: int, verdict: Verdict) -> None:
        """Add a part that a verdict proves."""
        self.parts.append(ProvenPart(start, end, marker_offset, unique(verdict.statements)))
        self.question_figures += [
            Span(start + figure.start, start + figure.end) for figure in verdict.question_figures
        ]


class Prover:
    """Proves units.

    Args:
        units: The units of the completion.
        support: Proves single claims.
    """

    def __init__(self, units: Units, support: Support) -> None:
        self._units = units
        self._support = support
        self._cited_next = _cited_next(units)

    def prove(self, unit: Unit) -> Proof | Reason:
        """Return the proof of a unit, or the reason why there is none."""
        cited = self._cited(unit)
        if not cited:
            unknown = any(mark.unknown for mark in unit.marks)
            return Reason.UNKNOWN_SOURCE if unknown else Reason.NO_CITATION
        proof = self._by_cell(unit, cited) if unit.kind is Kind.ROW else self._by_mark(unit)
        if proof is not None:
            return proof
        reading = self._reading(unit, unit.start, unit.end)
        if unit.kind is Kind.ROW and (not reading.figures or _is_numbered(unit)):
            return Reason.NOT_SUPPORTED
        if not any(character.isalnum() for character in reading.text):
            return Reason.NO_CITATION  # The sign of a footnote whose definition was removed.
        verdict = self._support.verify(self._claim(unit, reading), cited)
        if verdict.reason is not None:
            return verdict.reason
        proof = Proof()
        proof.add(unit.start, unit.end, unit.marks[-1].offset if unit.marks else unit.end, verdict)
        return proof

    def _cited(self, unit: Unit) -> list[int]:
        """The passages that a unit cites, or else those that its paragraph or list cites."""
        if own := _own_citations(unit):
            return own
        found = [*self._cited_next[unit.index]]
        # A lead-in's citations cover its items, and its items' citations may prove a lead-in.
        above = unit
        while above.parent is not None:
            above = self._units.units[above.parent]
            found += _own_citations(above)
        if unit.kind is Kind.ROW:
            for other in self._units.units:
                if other.kind is Kind.HEADER and other.paragraph == unit.paragraph:
                    found += _own_citations(other)
        if not found:
            for child in self._units.children(unit.index):
                found += _own_citations(child)
        return list(dict.fromkeys(found))

    def _by_mark(self, unit: Unit) -> Proof | None:
        """Prove each clause by the citation after it, if a unit cites in several places."""
        places = _marks_by_offset(unit)
        if len(places) < 2:
            return None
        proof = Proof()
        start = unit.start
        for number, (at, marks) in enumerate(sorted(places.items())):
            last = number == len(places) - 1
            end = unit.end if last else at
            reading = self._reading(unit, start, end)
            if not reading.stems and not reading.figures:
                continue
            verdict = self._support.verify(self._claim(unit, reading), _passages_of(marks))
            if verdict.reason is not None:
                return None
            proof.add(start, end, at, verdict)
            start = end
        return proof if proof.parts else None

    def _by_cell(self, unit: Unit, cited: Sequence[int]) -> Proof | None:
        """Prove each cell of a row by the citation in it or after it."""
        proof = Proof()
        places = _marks_by_offset(unit)
        for column, cell in enumerate(unit.cells[1:], start=1):
            if not cell.text:
                continue
            at = next((at for at in sorted(places) if at >= cell.start), max(places, default=0))
            header = [*unit.header[:1], *unit.header[column : column + 1]]
            text = self._units.text[cell.start : cell.end]
            row = Row(text, [unit.cells[0], cell], header, unit.caption)
            reading = read(cell.text) if _is_numbered(unit) else read_row(row)
            own = _passages_of(places.get(at, []))
            verdict = self._support.verify(self._claim(unit, reading), own or cited)
            if verdict.reason is not None:
                return None
            proven = Verdict(None, verdict.statements)
            proof.add(cell.start, cell.end, at or unit.end, proven)
        return proof if proof.parts else None

    def _reading(self, unit: Unit, start: int, end: int) -> Reading:
        if unit.kind is Kind.ROW and unit.cells:
            text = self._units.text_of(unit)
            return read_row(Row(text, unit.cells, unit.header, unit.caption))
        return read(self._units.text[start:end])

    def _claim(self, unit: Unit, reading: Reading) -> Claim:
        context: list[str] = []
        above = unit
        while above.parent is not None:
            above = self._units.units[above.parent]
            text = self._units.text_of(above)
            if above.kind is not Kind.HEADER and (
                above.kind is Kind.HEADING or ends_in_colon(text)
            ):
                context.append(text.strip("*_ :"))
        counted = count_of_items(self._units, unit)
        exempt = (
            frozenset({counted[0].key})
            if counted and counted[0].value == counted[1]
            else frozenset()
        )
        return Claim(reading, context, exempt)


def _cited_next(units: Units) -> dict[int, Sequence[int]]:
    """Return what the first citing unit after each unit cites, within its paragraph."""
    found: dict[int, Sequence[int]] = {}
    after: Unit | None = None
    for unit in reversed(units.units):
        if after is None or after.paragraph != unit.paragraph:
            found[unit.index] = []
        else:
            found[unit.index] = _own_citations(after) or found[after.index]
        after = unit
    return found


def _own_citations(unit: Unit) -> list[int]:
    return _passages_of(unit.marks)


def _passages_of(marks: Sequence[Marker]) -> list[int]:
    return list(dict.fromkeys(index for mark in marks for index in mark.passages))


def _marks_by_offset(unit: Unit) -> dict[int, list[Marker]]:
    places: dict[int, list[Marker]] = {}
    for mark in unit.marks:
        if mark.passages:
            places.setdefault(min(mark.offset, unit.end), []).append(mark)
    return places


def _is_numbered(unit: Unit) -> bool:
    """Whether a row of a table begins with its own number, as a list item does."""
    head = unit.header[0].text.strip("*_ .").lower() if unit.header else ""
    return unit.cells[0].text.strip("*_ .").isdigit() and head in {"#", "no", "nr", "step", ""}
