"""Builds the application of the chat service from its parts."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import FastAPI

from chat import routes
from chat.answering import Answerer
from chat.bedrock_model import bedrock_model
from chat.boundary.advice import AdviceBoundary
from chat.boundary.guard import BedrockGuardrail, Guard
from chat.boundary.policy import built_in_policy, load_policy
from chat.chat_model import ChatModel
from chat.conversation import Conversations
from chat.conversation_store import ConversationStore
from chat.dynamodb_store import DynamoConversations
from chat.recording.keys import DynamoRecordKeys
from chat.recording.record import Release
from chat.recording.recorder import Recorder, S3Records
from chat.relevance import RelevanceGate
from chat.retrieval import GatewayRetriever, Retriever
from chat.settings import Settings
from shared.access import KeyNames
from shared.api_client import ServiceAPIClient
from shared.app import create_service_app
from shared.aws.bucket import Bucket
from shared.aws.clients import aws_client


def create_app(
    settings: Settings,
    *,
    retriever: Retriever | None = None,
    model: ChatModel | None = None,
    store: ConversationStore | None = None,
    guard: Guard | None = None,
    recorder: Recorder | None = None,
    key_names: KeyNames | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        settings: The service's settings.
        retriever: Where passages come from; the s3vector service by default.
        model: The language model; one of Bedrock by default.
        store: Where conversations are kept; DynamoDB by default.
        guard: Judges questions and answers after the policy; by default the guardrail that the
            settings name, else none.
        recorder: Records answers; by default in the bucket that the settings name, if any.
        key_names: The names of API keys; by default in SSM.
    """
    app = create_service_app(
        settings,
        title="chat",
        description="Answers questions from the stored documents, with citations.",
        routers=[routes.router],
        key_names=key_names,
    )
    dynamodb = partial(aws_client, "dynamodb", region=settings.aws_region, read_timeout_seconds=2.0)
    app.state.conversations = Conversations(
        Answerer(
            retriever or GatewayRetriever(ServiceAPIClient(settings=settings)),
            model or bedrock_model(settings),
            gate=RelevanceGate(settings.relevance_threshold),
            boundary=AdviceBoundary(
                load_policy(settings.boundary_policy_path)
                if settings.boundary_policy_path
                else built_in_policy(),
                country=settings.support_country,
                guard=guard or _guardrail(settings),
            ),
            disclosure=settings.disclosure,
            history_tokens=settings.history_tokens,
            today=lambda: datetime.now(UTC).date(),
        ),
        store
        or DynamoConversations(
            settings.conversations_table,
            client=dynamodb,
            days=settings.conversation_days,
        ),
        recorder or recorder_of(settings, dynamodb),
        now=lambda: datetime.now(UTC),
    )
    return app


def _guardrail(settings: Settings) -> Guard | None:
    if not settings.guardrail_id:
        return None
    return BedrockGuardrail(
        settings.guardrail_id, settings.guardrail_version, region=settings.aws_region
    )


def recorder_of(settings: Settings, dynamodb: Callable[[], Any]) -> Recorder | None:
    """Return the recorder of answers; None without a bucket."""
    if settings.records_bucket is None or settings.record_keys_table is None:
        return None
    s3 = partial(aws_client, "s3", region=settings.aws_region, read_timeout_seconds=2.0)
    return Recorder(
        S3Records(Bucket(settings.records_bucket, s3)),
        DynamoRecordKeys(settings.record_keys_table, client=dynamodb),
        Release(
            settings.service_version,
            model={
                "id": settings.chat_model_id,
                "max_output_tokens": settings.chat_max_output_tokens,
                "temperature": settings.chat_temperature,
                "fields": settings.chat_model_fields,
                "citations": settings.chat_citations,
            },
            answering={
                "relevance_threshold": settings.relevance_threshold,
                "history_tokens": settings.history_tokens,
                "support_country": settings.support_country,
                "disclosure": settings.disclosure,
            },
        ),
        required=settings.records_required,
        now=lambda: datetime.now(UTC),
    )
