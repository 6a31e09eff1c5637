"""The composition root of the chat service."""

from fastapi import FastAPI

from chat import routes
from chat.bedrock_model import bedrock_model
from chat.chat_model import ChatModel
from chat.conversation import Conversation
from chat.retrieval import GatewayRetriever, Retriever
from chat.settings import Settings
from shared.api_client import ServiceAPIClient
from shared.app import create_service_app


def create_app(
    settings: Settings,
    *,
    retriever: Retriever | None = None,
    model: ChatModel | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        settings: The service's settings.
        retriever: Where passages come from; the s3vector service by default.
        model: What writes answers; Bedrock by default.
    """
    app = create_service_app(
        settings,
        title="chat",
        description="Answers questions from the stored documents, with citations.",
        routers=[routes.router],
    )
    app.state.conversation = Conversation(
        retriever or GatewayRetriever(ServiceAPIClient(settings=settings)),
        model or bedrock_model(settings),
        min_score=0.12 if settings.relevance_threshold is None else settings.relevance_threshold,
    )
    return app
