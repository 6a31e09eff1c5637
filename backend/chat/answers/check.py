"""Checks a completion against the retrieved passages and keeps what they prove."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from chat.answers.checked_answer import CheckedAnswer, Citation, Piece, Removed, Status
from chat.answers.claims import Reason
from chat.answers.cutting import cut
from chat.answers.markers.marker import NATIVE_CLOSE, NATIVE_OPEN
from chat.answers.markers.parser import parse
from chat.answers.passage_reader import read_passage
from chat.answers.passages import Passage, Statement
from chat.answers.proving import Proof, Prover
from chat.answers.removal import removals
from chat.answers.rendering import PlacedCitations, Renderer, Span
from chat.answers.roles import DISCLAIMERS, Role, Roles
from chat.answers.settling import settled_units
from chat.answers.support import Support
from chat.answers.units import Kind, Unit, Units, ends_in_colon
from shared.logging import get_logger

_log = get_logger(__name__)

MAX_COMPLETION_CHARACTERS: Final = 60_000
"""Longer completions are cut; no model is asked for as much."""

MAX_UNITS: Final = 1000
MAX_UNIT_CHARACTERS: Final = 2000
"""No answer needs as many units, and no sentence as many characters: a model that repeats itself
without end writes them. The text after the last unit is left out, and the answer is incomplete."""

WHOLE: Final = frozenset({"end_turn", "stop_sequence"})
"""The stop reasons of Converse after which an answer is whole."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a completion for which Bedrock itself cited passages (`citationsContent`)."""

    text: str
    passage_ids: tuple[str, ...] = ()


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
        completion: What the model wrote, or its segments if Bedrock cited for it.
        passages: The retrieved passages in the order in which the prompt numbered them.
        question: The question; the answer may repeat its figures without a source.
        disclaimers: Sentences that need no source.
        stop_reason: Converse's `stopReason`.
        recommends: Whether a unit recommends something to the reader, and must be removed.
    """
    marked = parse(_plain_text(completion, passages), passages)
    checking = _Check(cut(marked), passages, question, disclaimers, stop_reason)
    return checking.run(recommends)


def check_beginning(
    completion: str | Sequence[Segment],
    passages: Sequence[Passage],
    *,
    question: str,
    recommends: Callable[[str], bool] | None = None,
) -> CheckedAnswer:
    """Return the check of a completion that is still being written.

    Its pieces are only those that `check` will also return for the whole completion, with the
    same text and citations.
    """
    marked = parse(_plain_text(completion, passages), passages)
    checking = _Check(cut(marked), passages, question, DISCLAIMERS, "end_turn")
    checked = checking.run(recommends)
    return replace(checked, pieces=() if marked.depends_on_end else checking.settled_pieces())


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


class _Check:
    def __init__(
        self,
        units: Units,
        passages: Sequence[Passage],
        question: str,
        disclaimers: Sequence[str],
        stop_reason: str,
    ) -> None:
        self._is_whole = stop_reason in WHOLE and len(units.units) <= MAX_UNITS
        self._units = units = Units(units.text, units.units[:MAX_UNITS])
        readings = [read_passage(passage) for passage in passages]
        self._prover = Prover(units, Support(readings, question))
        roles = Roles(units, question, readings, disclaimers)
        self._roles = [
            Role.CLAIM if _is_too_long(unit) else roles.role(unit) for unit in units.units
        ]
        self._proofs: dict[int, Proof] = {}
        self._kept: frozenset[int] = frozenset()
        self._pieces: dict[int, Piece] = {}

    def run(self, recommends: Callable[[str], bool] | None) -> CheckedAnswer:
        failed: dict[int, Reason] = {}
        texts = {unit.index: self._units.text_of(unit) for unit in self._units.units}
        advice = [index for index, text in texts.items() if recommends and recommends(text)]
        for index in advice:
            self._roles[index] = Role.CLAIM  # Otherwise its removal would not be reported.
        for unit in self._units.units:
            if self._roles[unit.index] is not Role.CLAIM:
                continue
            result = self._prove(unit)
            if isinstance(result, Reason):
                failed[unit.index] = result
            else:
                self._proofs[unit.index] = result
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
        self._kept = frozenset(unit.index for unit in kept)
        return self._answer(kept, bool(claims), removed, gone)

    def _prove(self, unit: Unit) -> Proof | Reason:
        if _is_too_long(unit):
            return Reason.NOT_SUPPORTED
        try:
            return self._prover.prove(unit)
        except Exception as error:  # noqa: BLE001 - what cannot be checked does not reach the caller
            _log.error("unit_not_checked", unit=unit.index, exc_info=error)
            return Reason.NOT_SUPPORTED

    def settled_pieces(self) -> tuple[Piece, ...]:
        """Return the pieces, after `run`, that more text cannot change."""
        count = settled_units(self._units, self._roles, self._kept)
        return tuple(piece for index, piece in self._pieces.items() if index < count)

    def _without_claims(self, kept: Sequence[Unit], was_removed: bool) -> list[Unit]:
        """Keep what makes sense without claims: what the documents lack, and a question back."""
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

    def _answer(
        self,
        kept: Sequence[Unit],
        has_claims: bool,
        removed: tuple[Removed, ...],
        gone: Mapping[int, Reason],
    ) -> CheckedAnswer:
        quoted: list[Statement] = []
        placed: dict[int, list[PlacedCitations]] = {}
        question_figures: dict[int, list[Span]] = {}
        for unit in kept:
            proof = self._proofs.get(unit.index)
            if proof is None:
                continue
            question_figures[unit.index] = proof.question_figures
            for part in sorted(proof.parts, key=lambda one: one.marker_offset):
                numbers: list[int] = []
                for statement in part.statements:
                    if not any(statement is one for one in quoted):
                        quoted.append(statement)
                    numbers.append(1 + next(n for n, one in enumerate(quoted) if one is statement))
                placed.setdefault(unit.index, []).append(
                    PlacedCitations(part.start, part.end, tuple(numbers), part.marker_offset)
                )
        rendered = Renderer(self._units, self._kept).render(placed, question_figures)
        self._cut_into_pieces(rendered.ends, gone)
        citations = tuple(
            _citation(number, statement, rendered.spans.get(number, ()))
            for number, statement in enumerate(quoted, start=1)
        )
        return CheckedAnswer(
            rendered.text,
            self._status(has_claims, bool(removed)),
            citations,
            removed,
            tuple(rendered.figures),
            tuple(self._pieces.values()),
        )

    def _cut_into_pieces(self, ends: Mapping[int, int], gone: Mapping[int, Reason]) -> None:
        position = 0
        for unit in self._units.units:
            if unit.index in ends:
                self._pieces[unit.index] = Piece(position, ends[unit.index])
                position = ends[unit.index]
            elif unit.index in gone and self._roles[unit.index] is not Role.STRUCTURE:
                removed = Removed(self._units.text_of(unit), gone[unit.index])
                self._pieces[unit.index] = Piece(position, position, removed)

    def _status(self, has_claims: bool, was_removed: bool) -> Status:
        if not has_claims:
            return "unknown"
        if not self._is_whole:
            return "incomplete"
        return "partial" if was_removed else "answered"


def _is_too_long(unit: Unit) -> bool:
    return unit.end - unit.start > MAX_UNIT_CHARACTERS


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
