"""HTTP of the chat service."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from chat.conversation import Conversation
from chat.models import MessagesRequest, MessagesResponse

router = APIRouter(tags=["chat"])


def _conversation(request: Request) -> Conversation:
    conversation: Conversation = request.app.state.conversation
    return conversation


Conversing = Annotated[Conversation, Depends(_conversation)]


@router.post("/messages", summary="Answer a conversation from the documents")
async def post_message(body: MessagesRequest, conversation: Conversing) -> MessagesResponse:
    """Retrieve the passages closest to the question and let the model answer from them."""
    return await conversation.answer(body)
