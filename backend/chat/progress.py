"""The events of an answer that is streamed while it is being written."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final, Literal

from chat.answers import checked_answer
from chat.answers.checked_answer import Piece
from chat.answers.passages import Passage
from shared.answers import CheckedAnswer, Citation, Removed, Span
from shared.errors import ServiceError
from shared.events.answers import FoundPassage, PassagesEvent, StatusEvent, UnitEvent
from shared.events.stream import Event, Send, event_of

_PASSAGE_FIELDS: Final = tuple(FoundPassage.model_fields)


class AnswerChanged(ServiceError):
    """A part of the answer was sent that the check of the whole answer changed."""

    code = "answer_changed"


class Progress:
    """Sends the events of one answer.

    Args:
        send: Sends an event to the caller.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sent: list[Event] = []
        self._all: list[Event] = []
        self.holds_units = False
        """Whether no part of the answer may be sent before `finish`."""

    async def status(
        self, state: Literal["started", "searching", "writing"], conversation_id: str | None = None
    ) -> None:
        """Send what is being done now."""
        await self._send(
            event_of("status", StatusEvent(state=state, conversation_id=conversation_id))
        )

    async def passages(self, passages: Sequence[Passage]) -> None:
        """Send the passages of the prompt."""
        found = [
            FoundPassage(**{name: getattr(one, name) for name in _PASSAGE_FIELDS})
            for one in passages
        ]
        await self._send(event_of("passages", PassagesEvent(passages=found)))

    async def settled(self, checked: checked_answer.CheckedAnswer, opening: str) -> None:
        """Send the pieces of an answer that is still being written, unless they were sent."""
        if not checked.pieces or self.holds_units:
            return
        citations = [Citation.model_validate(asdict(one)) for one in checked.citations]
        by = len(opening)
        end = by + checked.pieces[-1].end
        text = (opening + checked.answer)[:end]
        moved = [_moved(one, by) for one in citations]
        await self._send_new(_events(text, moved, checked.pieces, range(by, end)))

    def answered(
        self, answer: CheckedAnswer, checked: checked_answer.CheckedAnswer, opening: str
    ) -> None:
        """Keep the events of the whole answer for `finish`."""
        is_framed = bool(checked.answer) and answer.answer.startswith(opening + checked.answer)
        # The policy's own text replaces an answer that it refuses.
        begin = len(opening) if is_framed else 0
        kept = range(begin, begin + len(checked.answer)) if is_framed else range(0)
        pieces = [one for one in checked.pieces if is_framed or one.removed]
        self._all = _events(answer.answer, answer.citations, pieces, kept)

    async def finish(self, answer: CheckedAnswer) -> None:
        """Send what has not been sent.

        Raises:
            AnswerChanged: What has been sent is not the beginning of this answer.
        """
        whole = self._all or _events(answer.answer, answer.citations, (), range(0))
        if whole[: len(self._sent)] != self._sent:
            raise AnswerChanged(
                "A part of the answer was sent that its last check changed: discard what you have, "
                "and ask again."
            )
        await self._send_new(whole)

    async def _send_new(self, events: Sequence[Event]) -> None:
        for event in events[len(self._sent) :]:
            self._sent.append(event)
            await self._send(event)


def _events(
    answer: str, citations: Sequence[Citation], pieces: Sequence[Piece], kept: range
) -> list[Event]:
    """Return the units of an answer and what was removed between them.

    Args:
        answer: The text that the caller gets, with the texts of the policy around it.
        citations: With spans in `answer`.
        pieces: The pieces of `answer[kept.start:kept.stop]`.
        kept: Where the checked text is in the answer.
    """
    events = [_unit(answer, 0, kept.start, ())] if kept.start else []
    for piece in pieces:
        if piece.removed is not None:
            removed = Removed(sentence=piece.removed.text, reason=piece.removed.reason.value)
            events.append(event_of("removed", removed))
        else:
            start, end = piece.start + kept.start, piece.end + kept.start
            events.append(_unit(answer, start, end, citations))
    if kept.stop < len(answer):
        events.append(_unit(answer, kept.stop, len(answer), ()))
    return events


def _unit(answer: str, start: int, end: int, citations: Sequence[Citation]) -> Event:
    cited = []
    for one in citations:
        spans = [span for span in one.spans if start <= span.start < end]
        if spans:
            cited.append(one.model_copy(update={"spans": spans}))
    unit = UnitEvent(text=answer[start:end], start=start, end=end, citations=cited)
    return event_of("unit", unit)


def _moved(citation: Citation, by: int) -> Citation:
    spans = [Span(start=one.start + by, end=one.end + by) for one in citation.spans]
    return citation.model_copy(update={"spans": spans})
