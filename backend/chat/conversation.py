"""Conversations: stored questions and answers that a later question can continue."""

from collections.abc import Callable
from datetime import datetime

from chat import history
from chat.answering import Answerer
from chat.conversation_store import (
    MAX_TURNS_READ,
    ConversationGone,
    ConversationStore,
    Kept,
    answer_id_of,
    kept_conversation,
    new_conversation_id,
    partition_of,
)
from chat.models import MessagesRequest
from chat.progress import Progress
from chat.recording.evidence import Evidence, Question
from chat.recording.recorder import Recorder
from shared.answers import Feedback, GivenAnswer, KeptConversation, Turn
from shared.errors import NotFound, ServiceError
from shared.logging import get_logger
from shared.request import user

_log = get_logger(__name__)

# The prompt has no room for more earlier turns than this.
_TURNS_FOR_THE_MODEL = 20


class Conversations:
    """Answers questions within conversations, and keeps the turns.

    Args:
        answerer: Finds passages and asks the model.
        store: Where turns are kept.
        recorder: Writes the record of each answer; None records nothing.
        now: Returns the current time, stored as the time of a question.
    """

    def __init__(
        self,
        answerer: Answerer,
        store: ConversationStore,
        recorder: Recorder | None = None,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._answerer = answerer
        self._store = store
        self._recorder = recorder
        self._now = now

    async def answer(
        self,
        request: MessagesRequest,
        *,
        caller: str | None = None,
        progress: Progress | None = None,
    ) -> GivenAnswer:
        """Answer the last message and keep it with its answer.

        Args:
            request: The question, and its conversation.
            caller: The id of the caller's API key, for the record.
            progress: Sends the parts of the answer; without it, nothing is sent.

        Raises:
            NotFound: The conversation is unknown.
            Unavailable: The store failed before the model was asked.
            RecordNotWritten: Records are required, and the answer's could not be written.
        """
        asked_at = self._now()
        conversation_id = request.conversation_id or new_conversation_id()
        if request.conversation_id is None:
            # Create it before asking the model: the id must be valid even if the turn is not kept.
            await self._store.create(conversation_id, owner=_owner())
            earlier, count = history.of_messages(request.messages), 0
        else:
            kept = await self._read(conversation_id, _TURNS_FOR_THE_MODEL)
            earlier, count = history.of_turns(kept.turns), kept.total
        if progress is not None:
            progress.holds_units = self._recorder is not None and self._recorder.required
            await progress.status("started", conversation_id)
        evidence = Evidence()
        answer = await self._answerer.answer(
            request.question,
            earlier,
            top_k=request.top_k,
            metadata_filter=request.filter,
            evidence=evidence,
            progress=progress,
        )
        if self._recorder is not None:
            # Before the turn is stored: a withheld answer must not be readable in the conversation.
            question = Question(
                conversation=partition_of(conversation_id),
                asked_at=asked_at,
                text=request.question,
                history=earlier,
                top_k=request.top_k,
                metadata_filter=request.filter,
                caller=caller,
                user=user.current(),
            )
            await self._recorder.record(question, answer, evidence)
        if progress is not None:
            await progress.finish(answer)
        turn = Turn(answer_id="", asked_at=asked_at, question=request.question, answer=answer)
        answer_id = await self._keep(conversation_id, turn, count)
        return GivenAnswer(
            **answer.model_dump(), answer_id=answer_id, conversation_id=conversation_id
        )

    async def read(self, conversation_id: str) -> KeptConversation:
        """Return the newest turns of a conversation.

        Raises:
            NotFound: The conversation is unknown.
        """
        return kept_conversation(conversation_id, await self._read(conversation_id, MAX_TURNS_READ))

    async def erase(self, conversation_id: str) -> None:
        """Delete a conversation with its turns and their feedback.

        Raises:
            NotFound: The conversation is unknown.
        """
        if not await self._store.erase(conversation_id, owner=_owner()):
            raise _unknown_conversation()

    async def rate(self, answer_id: str, feedback: Feedback) -> None:
        """Store a user's rating of an answer.

        Raises:
            NotFound: The answer is unknown.
        """
        if not await self._store.rate(answer_id, feedback, owner=_owner()):
            raise NotFound("There is no such answer; it may have been erased or have expired.")
        _log.info("answer_rated", answer_id=answer_id, rating=feedback.rating)

    async def _read(self, conversation_id: str, limit: int) -> Kept:
        kept = await self._store.read(conversation_id, limit=limit, owner=_owner())
        if kept is None:
            raise _unknown_conversation()
        return kept

    async def _keep(self, conversation_id: str, turn: Turn, count: int) -> str:
        # The model call is already paid for: return the answer even if storing the turn fails.
        try:
            return await self._store.append(conversation_id, turn, count=count, owner=_owner())
        except ConversationGone:
            _log.info("turn_not_kept", error="conversation_erased")
        except ServiceError as error:
            _log.warning("turn_not_kept", error=error.code, detail=error.detail)
        # A well-formed id that belongs to no stored answer: rating it gives 404.
        return answer_id_of(partition_of(new_conversation_id()), 1)


def _owner() -> str | None:
    current = user.current()
    return None if current is None else current.id


def _unknown_conversation() -> NotFound:
    return NotFound(
        "There is no such conversation; it may have been erased or have expired. "
        "Leave out conversation_id to begin a new one."
    )
