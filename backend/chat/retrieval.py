"""Passages from the s3vector service, asked for over the gateway."""

from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.api_client import ServiceAPIClient
from shared.errors import BadDependency


class Passage(BaseModel):
    """A piece of a document, and how close it is to the question."""

    # Forward compatible: what s3vector adds later must not break this service.
    model_config = ConfigDict(extra="ignore", frozen=True)

    document_id: str
    passage_id: str
    title: str | None = None
    text: str
    score: float


class _QueryAnswer(BaseModel):
    passages: list[Passage]


class Retriever(Protocol):
    """Where passages come from."""

    async def retrieve(
        self, text: str, *, top_k: int, metadata_filter: dict[str, Any] | None
    ) -> Sequence[Passage]:
        """Return the passages closest to a text, the closest first."""


class GatewayRetriever:
    """Retrieves by `POST /s3vector/query`."""

    def __init__(self, client: ServiceAPIClient) -> None:
        self._client = client

    async def retrieve(
        self, text: str, *, top_k: int, metadata_filter: dict[str, Any] | None
    ) -> Sequence[Passage]:
        """Return the passages closest to a text, the closest first.

        Raises:
            CallError: The call failed; a filter that s3vector refuses keeps its 422.
            BadDependency: The answer has another shape.
        """
        query: dict[str, Any] = {"text": text, "top_k": top_k}
        if metadata_filter is not None:
            query["filter"] = metadata_filter
        response = await self._client.post("/s3vector/query", json=query)
        try:
            return _QueryAnswer.model_validate_json(response.content).passages
        except ValidationError as error:
            raise BadDependency("s3vector's answer to a query has an unknown shape.") from error
