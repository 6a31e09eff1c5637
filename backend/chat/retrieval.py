"""Retrieves passages from the s3vector service, through the gateway."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from chat import provenance
from chat.answers.passages import Passage
from shared.api_client import IDEMPOTENCY_HEADER, ServiceAPIClient
from shared.errors import BadDependency
from shared.logging import request_context
from shared.personal_data import mask


class Retrieved(NamedTuple):
    """The passages that fit a text, the best first, and the embedding model of the scores.

    `best_score` is the highest cosine similarity of all passages that were compared; None if it is
    that of the passages found.
    """

    passages: tuple[Passage, ...]
    embedding_model: str | None = None
    best_score: float | None = None

    @property
    def closest(self) -> float | None:
        """The highest cosine similarity; None if nothing was found."""
        if not self.passages or self.best_score is not None:
            return self.best_score
        return max(one.score for one in self.passages)


def best_of(searches: Sequence[Retrieved], *, top_k: int) -> Retrieved:
    """Return the `top_k` best passages of several searches, each as the better search ranked it."""
    best: dict[str, Passage] = {}
    for passage in (one for search in searches for one in search.passages):
        known = best.get(passage.passage_id)
        if known is None or _rank(passage) > _rank(known):
            best[passage.passage_id] = passage
    ranked = sorted(best.values(), key=_rank, reverse=True)[:top_k]
    closest = max((one.closest for one in searches if one.closest is not None), default=None)
    return Retrieved(tuple(ranked), searches[0].embedding_model, closest)


def _rank(passage: Passage) -> float:
    return passage.score if passage.fused is None else passage.fused


class _FoundPassage(BaseModel):
    # Ignore fields that a newer s3vector adds.
    model_config = ConfigDict(extra="ignore", frozen=True)

    document_id: str
    passage_id: str
    title: str | None = None
    text: str
    score: float
    fused: float | None = None
    metadata: dict[str, Any] = {}
    version: str | None = None
    owner: str | None = None

    def passage(self) -> Passage:
        return Passage(
            passage_id=self.passage_id,
            document_id=self.document_id,
            # Documents that an earlier release stored are not masked.
            text=mask(self.text),
            title=self.title and mask(self.title),
            page=provenance.page(self.metadata),
            as_of=provenance.as_of(self.metadata),
            score=self.score,
            fused=self.fused,
            version=self.version,
            owner=self.owner,
        )


class _QueryAnswer(BaseModel):
    passages: list[_FoundPassage]
    embedding_model: str | None = None
    best_score: float | None = None


class Retriever(Protocol):
    """Where passages come from."""

    async def retrieve(
        self, text: str, *, top_k: int, metadata_filter: dict[str, Any] | None
    ) -> Retrieved:
        """Return the passages that fit a text, the best first."""


class GatewayRetriever:
    """Retrieves by `POST /s3vector/query`."""

    def __init__(self, client: ServiceAPIClient) -> None:
        self._client = client

    async def retrieve(
        self, text: str, *, top_k: int, metadata_filter: dict[str, Any] | None
    ) -> Retrieved:
        """Return the passages that fit a text, the best first.

        Raises:
            CallError: The call failed; a filter that s3vector refuses keeps its 422.
            BadDependency: The answer has another shape.
        """
        query: dict[str, Any] = {"text": text, "top_k": top_k}
        if metadata_filter is not None:
            query["filter"] = metadata_filter
        # A search changes nothing, so any key makes its repetition safe.
        headers = {IDEMPOTENCY_HEADER: request_context.request_id()}
        response = await self._client.post("/s3vector/query", json=query, headers=headers)
        try:
            answer = _QueryAnswer.model_validate_json(response.content)
        except ValidationError as error:
            raise BadDependency("s3vector's answer to a query has an unknown shape.") from error
        passages = tuple(one.passage() for one in answer.passages)
        return Retrieved(passages, answer.embedding_model, answer.best_score)
