"""Checks a completion against the retrieved passages and keeps what they prove."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from chat.answers.claims import Claim, Reason, Verdict
from chat.answers.markers.marker import NATIVE_CLOSE, NATIVE_OPEN, Marker
from chat.answers.markers.parser import parse
from chat.answers.passages import Passage, PassageReading, Statement, read_passage
from chat.answers.reading import Reading, Row, read, read_row
from chat.answers.removal import removals
from chat.answers.rendering import Placed, Renderer, Span
from chat.answers.roles import DISCLAIMERS, Role, Roles, count_of_items
from chat.answers.support import Support, unique
from chat.answers.units import Kind, Unit, Units, cut, ends_in_colon

MAX_COMPLETION_CHARACTERS: Final = 60_000
"""Longer completions are cut; no model is asked for as much."""

WHOLE: Final = frozenset({"end_turn", "stop_sequence"})
"""The stop reasons of Converse after which an answer is whole."""

Status = Literal["answered", "partial", "unknown", "incomplete"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a completion that Bedrock itself cited passages for (`citationsContent`)."""

    text: str
    passage_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence or table row of a passage on which parts of the answer rest.

    Attributes:
        marker: The number of `[1]` in the answer.
        quote: `passage.text[start:end]`, verbatim.
        spans: The parts of the answer, in Unicode code points, half-open.
    """

    marker: int
    document_id: str
    passage_id: str
    title: str | None
    page: int | None
    as_of: str | None
    quote: str
    start: int
    end: int
    spans: tuple[Span, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Removed:
    """A unit that was left out, without its markers."""

    text: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """What reaches the caller.

    Attributes:
        answer: The units that stand, with markers numbered by first use.
        question_figures: Spans of figures that only the question proves.
    """

    answer: str
    status: Status
    citations: tuple[Citation, ...] = ()
    removed: tuple[Removed, ...] = ()
    question_figures: tuple[Span, ...] = ()


def check(
    completion: str | Sequence[Segment],
    passages: Sequence[Passage],
    *,
    question: str,
    disclaimers: Sequence[str] = DISCLAIMERS,
    stop_reason: str = "end_turn",
    recommends: Callable[[str], bool] | None = None,
) -> CheckedAnswer:
    """Return what the passages prove of a completion.

    Args:
        completion: What the model wrote, or its segments where Bedrock cited for it.
        passages: The retrieved passages in the order in which the prompt numbered them.
        question: The question, whose own figures may stand.
        disclaimers: Sentences that need no source.
        stop_reason: Converse's `stopReason`.
        recommends: Whether a unit recommends something to the reader, so that it has to go.
    """
    text = _plain_text(completion, passages)
    units = cut(parse(text, passages))
    advice = [one.index for one in units.units if recommends and recommends(units.text_of(one))]
    return _Check(units, passages, question, disclaimers, stop_reason).run(advice)


def _plain_text(completion: str | Sequence[Segment], passages: Sequence[Passage]) -> str:
    if isinstance(completion, str):
        return _clean(completion)[:MAX_COMPLETION_CHARACTERS]
    numbers = {passage.passage_id: str(index) for index, passage in enumerate(passages)}
    pieces: list[str] = []
    for segment in completion:
        body = _clean(segment.text)
        known = [numbers[name] for name in segment.passage_ids if name in numbers]
        tail = body[len(body.rstrip()) :]
        mark = f"{NATIVE_OPEN}{','.join(known)}{NATIVE_CLOSE}" if known and body.strip() else ""
        pieces.append(body.rstrip() + mark + tail)
    return "".join(pieces)[:MAX_COMPLETION_CHARACTERS]


def _clean(text: str) -> str:
    plain = text.replace(NATIVE_OPEN, "").replace(NATIVE_CLOSE, "").replace("\r\n", "\n")
    return plain.replace("\u200b", "").replace("\ufeff", "")


@dataclass(slots=True)
class _Proof:
    """What proves the parts of a unit."""

    parts: list[tuple[int, int, int, list[Statement]]] = field(default_factory=list)
    """Start and end of the part, where its marker goes, and the statements."""
    asked: list[Span] = field(default_factory=list)


class _Check:
    def __init__(
        self,
        units: Units,
        passages: Sequence[Passage],
        question: str,
        disclaimers: Sequence[str],
        stop_reason: str,
    ) -> None:
        self._units = units
        self._passages = passages
        read_passages: list[PassageReading] = [read_passage(passage) for passage in passages]
        self._support = Support(read_passages, question)
        kinds = Roles(units, question, read_passages, disclaimers)
        self._roles = [kinds.role(unit) for unit in units.units]
        self._is_whole = stop_reason in WHOLE
        self._proofs: dict[int, _Proof] = {}

    def run(self, advice: Sequence[int] = ()) -> CheckedAnswer:
        failed: dict[int, Reason] = {}
        for index in advice:
            self._roles[index] = Role.CLAIM  # Else its removal would not be reported.
        for unit in self._units.units:
            if self._roles[unit.index] is Role.CLAIM and (reason := self._prove(unit)):
                failed[unit.index] = reason
        failed |= dict.fromkeys(advice, Reason.RECOMMENDATION)
        if not self._is_whole and self._units.units and self._is_unfinished():
            failed.setdefault(len(self._units.units) - 1, Reason.NOT_SUPPORTED)
        gone = removals(self._units, self._roles, failed)
        kept = [unit for unit in self._units.units if unit.index not in gone]
        claims = [unit for unit in kept if self._roles[unit.index] is Role.CLAIM]
        removed = tuple(
            Removed(self._units.text_of(unit), gone[unit.index])
            for unit in self._units.units
            if unit.index in gone and self._roles[unit.index] is not Role.STRUCTURE
        )
        if not claims:
            kept = self._without_claims(kept, bool(removed))
        return self._answer(kept, bool(claims), removed)

    def _without_claims(self, kept: Sequence[Unit], was_removed: bool) -> list[Unit]:
        """What may stand alone: that the documents lack something, and a question back."""
        return [
            unit
            for unit in kept
            if self._roles[unit.index] is Role.LACK
            or self._units.text_of(unit).rstrip("*_ ").endswith("?")
            or (
                not was_removed
                and unit.kind is Kind.SENTENCE
                and not self._units.children(unit.index)
            )
        ]

    def _is_unfinished(self) -> bool:
        last = self._units.units[-1]
        text = self._units.text_of(last).rstrip("*_ ")
        if last.kind is Kind.ROW:
            return not text.endswith("|") or len(last.cells) < len(last.header)
        if last.kind is Kind.HEADER or ends_in_colon(text):
            return True
        body = text.rstrip("\"'\u201d\u2019)")
        # "4." may be the beginning of 4.5, and "e.g." of an example.
        return not body.endswith((".", "!", "?", "\u2026")) or (
            len(body) > 1 and body.endswith(".") and not body[-2].isalpha() and body[-2] not in "%)"
        )

    # Which passages a unit cites

    def _own(self, unit: Unit) -> list[int]:
        return list(dict.fromkeys(index for mark in unit.marks for index in mark.passages))

    def _cited(self, unit: Unit) -> list[int]:
        if own := self._own(unit):
            return own
        found: list[int] = []
        later = self._units.units[unit.index + 1 :]
        for other in later:
            if other.paragraph != unit.paragraph:
                break
            if cited := self._own(other):
                found += cited
                break
        # A lead-in covers its items, and what its items cite may prove a lead-in.
        above = unit
        while above.parent is not None:
            above = self._units.units[above.parent]
            found += self._own(above)
        if unit.kind is Kind.ROW:
            for other in self._units.units:
                if other.kind is Kind.HEADER and other.paragraph == unit.paragraph:
                    found += self._own(other)
        if not found:
            for child in self._units.children(unit.index):
                found += self._own(child)
        return list(dict.fromkeys(found))

    # Whether they prove it

    def _prove(self, unit: Unit) -> Reason | None:
        cited = self._cited(unit)
        if not cited:
            unknown = any(mark.unknown for mark in unit.marks)
            return Reason.UNKNOWN_SOURCE if unknown else Reason.NO_CITATION
        proof = self._by_cell(unit, cited) if unit.kind is Kind.ROW else self._by_mark(unit)
        if proof is None:
            reading = self._reading(unit, unit.start, unit.end)
            if unit.kind is Kind.ROW and (not reading.figures or _is_numbered(unit)):
                return Reason.NOT_SUPPORTED
            if not any(character.isalnum() for character in reading.text):
                return Reason.NO_CITATION  # A footnote's sign that is left of its definition.
            verdict = self._support.verify(self._claim(unit, reading), cited)
            if verdict.reason is not None:
                return verdict.reason
            at = unit.marks[-1].offset if unit.marks else unit.end
            proof = _Proof()
            self._add(proof, unit.start, unit.end, at, verdict)
        self._proofs[unit.index] = proof
        return None

    def _by_mark(self, unit: Unit) -> _Proof | None:
        """Prove each clause by the citation behind it, where a unit cites in several places."""
        places: dict[int, list[Marker]] = {}
        for mark in unit.marks:
            if mark.passages:
                places.setdefault(min(mark.offset, unit.end), []).append(mark)
        if len(places) < 2 or unit.kind is Kind.ROW:
            return None
        proof = _Proof()
        start = unit.start
        for number, (at, marks) in enumerate(sorted(places.items())):
            last = number == len(places) - 1
            end = unit.end if last else at
            reading = self._reading(unit, start, end)
            cited = list(dict.fromkeys(index for mark in marks for index in mark.passages))
            if not reading.stems and not reading.figures:
                continue
            verdict = self._support.verify(self._claim(unit, reading), cited)
            if verdict.reason is not None:
                return None
            self._add(proof, start, end, at, verdict)
            start = end
        return proof if proof.parts else None

    def _by_cell(self, unit: Unit, cited: Sequence[int]) -> _Proof | None:
        """Prove each cell of a row by the citation in it or behind it."""
        proof = _Proof()
        places: dict[int, list[Marker]] = {}
        for mark in unit.marks:
            if mark.passages:
                places.setdefault(min(mark.offset, unit.end), []).append(mark)
        for column, cell in enumerate(unit.cells[1:], start=1):
            if not cell.text:
                continue
            at = next((at for at in sorted(places) if at >= cell.start), max(places, default=0))
            header = [*unit.header[:1], *unit.header[column : column + 1]]
            text = self._units.text[cell.start : cell.end]
            row = Row(text, [unit.cells[0], cell], header, unit.caption)
            reading = read(cell.text) if _is_numbered(unit) else read_row(row)
            marks = places.get(at, [])
            own = list(dict.fromkeys(index for mark in marks for index in mark.passages))
            verdict = self._support.verify(self._claim(unit, reading), own or cited)
            if verdict.reason is not None:
                return None
            place = at or unit.end
            self._add(proof, cell.start, cell.end, place, Verdict(None, verdict.statements))
        return proof if proof.parts else None

    @staticmethod
    def _add(proof: _Proof, start: int, end: int, at: int, verdict: Verdict) -> None:
        proof.parts.append((start, end, at, unique(verdict.statements)))
        proof.asked += [Span(start + one.start, start + one.end) for one in verdict.asked]

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

    # What is left of it

    def _answer(
        self, kept: Sequence[Unit], has_claims: bool, removed: tuple[Removed, ...]
    ) -> CheckedAnswer:
        order: list[Statement] = []
        placed: dict[int, list[Placed]] = {}
        asked: dict[int, list[Span]] = {}
        for unit in kept:
            proof = self._proofs.get(unit.index)
            if proof is None:
                continue
            asked[unit.index] = proof.asked
            for start, end, at, statements in sorted(proof.parts, key=lambda part: part[2]):
                numbers: list[int] = []
                for statement in statements:
                    if not any(statement is one for one in order):
                        order.append(statement)
                    numbers.append(1 + next(n for n, one in enumerate(order) if one is statement))
                placed.setdefault(unit.index, []).append(Placed(start, end, tuple(numbers), at))
        rendered = Renderer(self._units, frozenset(unit.index for unit in kept)).render(
            placed, asked
        )
        citations = tuple(
            _citation(number, statement, rendered.spans.get(number, ()))
            for number, statement in enumerate(order, start=1)
        )
        return CheckedAnswer(
            rendered.text,
            self._status(has_claims, bool(removed)),
            citations,
            removed,
            tuple(rendered.figures),
        )

    def _status(self, has_claims: bool, was_removed: bool) -> Status:
        if not has_claims:
            return "unknown"
        if not self._is_whole:
            return "incomplete"
        return "partial" if was_removed else "answered"


def _is_numbered(unit: Unit) -> bool:
    """Whether a row of a table begins with its own number, as a list item does."""
    head = unit.header[0].text.strip("*_ .").lower() if unit.header else ""
    return unit.cells[0].text.strip("*_ .").isdigit() and head in {"#", "no", "nr", "step", ""}


def _citation(number: int, statement: Statement, spans: Sequence[Span]) -> Citation:
    passage = statement.passage
    return Citation(
        marker=number,
        document_id=passage.document_id,
        passage_id=passage.passage_id,
        title=passage.title,
        page=passage.page,
        as_of=passage.as_of,
        quote=passage.text[statement.start : statement.end],
        start=statement.start,
        end=statement.end,
        spans=tuple(spans),
        score=passage.score,
    )
