"""The chat and s3vector services in this process, and what passes between them."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import uuid4

import httpx
from starlette.types import ASGIApp

from chat.app import create_app as create_chat
from chat.bedrock_model import bedrock_model
from chat.chat_model import ChatModel, Completion, PromptPassage, Written
from chat.conversation_store import Kept
from chat.models import Message
from chat.retrieval import GatewayRetriever, Retrieved, Retriever, best_of
from chat.settings import Settings as ChatSettings
from evaluation.question import Question
from local.aws.bedrock_api import BedrockApi
from local.aws.server import EmbeddedAws, boto3_client
from local.bedrock.runtime import Bedrock
from local.overlay import Endpoints, overlay
from s3vector.app import create_app as create_s3vector
from s3vector.settings import Settings as S3VectorSettings
from shared.answers import Feedback, Turn
from shared.api_client import ServiceAPIClient
from shared.documents import DocumentBody
from shared.logging import configure_logging

TOP_K: Final = 5
CHAT_MODEL: Final = "us.anthropic.claude-sonnet-5-5"
EMBEDDING_MODEL: Final = "amazon.titan-embed-text-v2:0"

_GATEWAY: Final = "http://gateway"
_DOCUMENTS_A_REQUEST: Final = 20


class ServiceFailed(RuntimeError):
    """A service answered with an error; the message has its status and body."""


@dataclass(frozen=True)
class Prompt:
    """The prompt of the model and what it wrote."""

    system: str
    content: str
    passages: Sequence[PromptPassage]
    completion: Completion


@dataclass(frozen=True)
class Asked:
    """A question, what was retrieved for it, and how it was answered.

    Attributes:
        retrieved: None if nothing was searched for.
        prompt: None if no model was called.
        answer: The body of chat's answer.
    """

    question: Question
    retrieved: Retrieved | None
    prompt: Prompt | None
    answer: MappingProxyType[str, Any]


class Services:
    """The two services; make them with `running_services`."""

    def __init__(
        self,
        chat: httpx.AsyncClient,
        s3vector: httpx.AsyncClient,
        retriever: "_KeepingRetriever",
        model: "_KeepingModel",
    ) -> None:
        self._chat = chat
        self._s3vector = s3vector
        self._retriever = retriever
        self._model = model

    async def store(self, documents: Sequence[DocumentBody]) -> dict[str, list[str]]:
        """Store documents and return the texts of their passages, by document id.

        Raises:
            ServiceFailed: s3vector answered with an error.
        """
        for start in range(0, len(documents), _DOCUMENTS_A_REQUEST):
            batch = documents[start : start + _DOCUMENTS_A_REQUEST]
            body = {"documents": [one.model_dump() for one in batch]}
            _checked(await self._s3vector.put("/documents", json=body))
        passages = {}
        for one in documents:
            found = _checked(await self._s3vector.get(f"/documents/{one.id}")).json()
            # A document comes with the passages of its later parts, which are documents of the set.
            passages[one.id] = [
                passage["text"]
                for passage in found["contents"]
                if passage["passage_id"].rpartition("#")[0] == one.id
            ]
        return passages

    async def ask(self, question: Question) -> Asked:
        """Ask chat a question in the way that a caller does.

        Raises:
            ServiceFailed: chat answered with an error.
        """
        messages = []
        for asked, replied in question.earlier:
            messages += [
                {"role": "user", "content": asked},
                {"role": "assistant", "content": replied},
            ]
        messages.append({"role": "user", "content": question.question})
        body: dict[str, Any] = {"messages": messages, "top_k": TOP_K}
        if question.filter is not None:
            body["filter"] = question.filter
        self._retriever.kept = self._model.kept = None
        response = _checked(await self._chat.post("/messages", json=body))
        return Asked(
            question, self._retriever.kept, self._model.kept, MappingProxyType(response.json())
        )


@asynccontextmanager
async def running_services(bedrock: str = "local") -> AsyncIterator[Services]:
    """Run the services over an embedded S3, with one Bedrock for both.

    The embedding and the model are called by the services' own clients, over HTTP.

    Args:
        bedrock: `local` is the stand-in, `aws` the real one; else the URL of a server.
    """
    embedded = EmbeddedAws([BedrockApi(Bedrock())])
    embedded.serve()
    variables = overlay(Endpoints(api=_GATEWAY, aws=embedded.url), service="chat", bedrock=bedrock)
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        async with _services(embedded.url) as services:
            with open(os.devnull, "wb") as nowhere:
                # Log lines would appear between the rows of the table.
                configure_logging(log_level="CRITICAL", stream=nowhere)
                yield services
    finally:
        configure_logging()
        embedded.stop()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@asynccontextmanager
async def _services(aws_url: str) -> AsyncIterator[Services]:
    common: dict[str, Any] = {
        "project_name": "fin-advisor",
        "environment": "dev",
        "api_gateway_url": _GATEWAY,
        "enable_service_api_keys": False,
    }
    chat_settings = ChatSettings(
        **common, service_name="chat", chat_model_id=CHAT_MODEL, conversations_table="unused"
    )
    bucket = f"evaluation-{uuid4().hex}"
    boto3_client("s3", endpoint_url=aws_url, region="us-east-1").create_bucket(Bucket=bucket)
    s3vector = create_s3vector(
        S3VectorSettings(
            **common,
            service_name="s3vector",
            vector_bucket_name=bucket,
            bedrock_model_id=EMBEDDING_MODEL,
        )
    )
    gateway = ServiceAPIClient(settings=chat_settings, transport=_Gateway(s3vector))
    retriever = _KeepingRetriever(GatewayRetriever(gateway))
    model = _KeepingModel(bedrock_model(chat_settings))
    chat = create_chat(chat_settings, retriever=retriever, model=model, store=_NoStore())
    async with gateway, _client(chat) as chat_client, _client(s3vector) as s3vector_client:
        yield Services(chat_client, s3vector_client, retriever, model)


class _Gateway(httpx.ASGITransport):
    """Calls the s3vector service under its path behind the gateway."""

    def __init__(self, s3vector: ASGIApp) -> None:
        super().__init__(s3vector)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(path=request.url.path.removeprefix("/s3vector"))
        return await super().handle_async_request(request)


class _KeepingRetriever:
    """Keeps the best passages of all searches since `kept` was set to None."""

    def __init__(self, inner: Retriever) -> None:
        self._inner = inner
        self.kept: Retrieved | None = None

    async def retrieve(
        self, text: str, *, top_k: int, metadata_filter: dict[str, Any] | None
    ) -> Retrieved:
        found = await self._inner.retrieve(text, top_k=top_k, metadata_filter=metadata_filter)
        self.kept = best_of([found, self.kept] if self.kept else [found], top_k=top_k)
        return found


class _KeepingModel:
    """Keeps the model's last prompt, and what it wrote."""

    def __init__(self, inner: ChatModel) -> None:
        self._inner = inner
        self.kept: Prompt | None = None

    @property
    def model_id(self) -> str:
        return self._inner.model_id

    async def complete(
        self,
        system: str,
        messages: Sequence[Message],
        *,
        passages: Sequence[PromptPassage] = (),
        written: Written | None = None,
    ) -> Completion:
        completion = await self._inner.complete(
            system, messages, passages=passages, written=written
        )
        content = "\n".join(one.content for one in messages)
        self.kept = Prompt(system, content, tuple(passages), completion)
        return completion


class _NoStore:
    """Keeps no conversation: every question brings its own earlier turns."""

    async def create(self, conversation_id: str, *, owner: str | None = None) -> None: ...

    async def read(
        self, conversation_id: str, *, limit: int, owner: str | None = None
    ) -> Kept | None: ...

    async def append(
        self,
        conversation_id: str,  # noqa: ARG002
        turn: Turn,  # noqa: ARG002
        *,
        count: int,  # noqa: ARG002
        owner: str | None = None,  # noqa: ARG002
    ) -> str:
        return "unkept"

    async def erase(self, conversation_id: str, *, owner: str | None = None) -> bool:  # noqa: ARG002
        return False

    async def rate(self, answer_id: str, feedback: Feedback, *, owner: str | None = None) -> bool:  # noqa: ARG002
        return False


def _client(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise ServiceFailed(f"{response.request.url.path}: {response.status_code} {response.text}")
    return response
