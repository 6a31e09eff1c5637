"""The HTTP routes of the chat service."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, status

from chat.conversation import Conversations
from chat.models import MessagesRequest
from chat.progress import Progress
from shared.access import event_key_id
from shared.answers import AnswerId, ConversationId, Feedback, GivenAnswer, KeptConversation
from shared.events.stream import Event, EventStreamResponse, Send, event_of, event_stream
from shared.models import error_responses

router = APIRouter(tags=["chat"])


def _conversations(request: Request) -> Conversations:
    conversations: Conversations = request.app.state.conversations
    return conversations


def _caller(request: Request) -> str | None:
    return event_key_id(request.scope)


ConversationsPort = Annotated[Conversations, Depends(_conversations)]
Caller = Annotated[str | None, Depends(_caller)]


@router.post(
    "/messages", summary="Answer a question from the documents", responses=error_responses(404, 409)
)
async def post_message(
    body: MessagesRequest, conversations: ConversationsPort, caller: Caller
) -> GivenAnswer:
    """Answer the last message, check the answer against its sources, and keep the turn."""
    return await conversations.answer(body, caller=caller)


@router.post(
    "/messages/stream",
    summary="Answer a question, in parts as they are checked",
    response_class=EventStreamResponse,
    responses=error_responses(404),
)
async def stream_message(
    request: Request, body: MessagesRequest, conversations: ConversationsPort, caller: Caller
) -> EventStreamResponse:
    """Answer as `/messages` does, in server-sent events.

    The events are `status`, `passages`, `unit` and `removed`, and at the end either `done` with the
    whole answer or `error`. Without one of these two, the answer is not whole.
    """

    async def work(send: Send) -> Event:
        answer = await conversations.answer(body, caller=caller, progress=Progress(send))
        return event_of("done", answer)

    return await event_stream(request, work)


@router.get(
    "/conversations/{conversation_id}",
    summary="Read a conversation",
    responses=error_responses(404),
)
async def get_conversation(
    conversation_id: ConversationId, conversations: ConversationsPort
) -> KeptConversation:
    """Return up to 50 of the newest turns, oldest first."""
    return await conversations.read(conversation_id)


@router.delete(
    "/conversations/{conversation_id}",
    summary="Erase a conversation",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=error_responses(404),
)
async def delete_conversation(
    conversation_id: ConversationId, conversations: ConversationsPort
) -> None:
    """Delete a conversation with its turns and their feedback immediately."""
    await conversations.erase(conversation_id)


@router.post(
    "/answers/{answer_id}/feedback",
    summary="Rate an answer",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=error_responses(404),
)
async def post_feedback(
    answer_id: AnswerId, body: Feedback, conversations: ConversationsPort
) -> None:
    """Store a rating of an answer; a later rating replaces it."""
    await conversations.rate(answer_id, body)
