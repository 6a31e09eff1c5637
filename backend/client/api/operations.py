"""The operations of the API. Generated from docs/openapi.json: do not edit."""

from typing import Final

from client.api import models
from client.transport import Transport

VERSION: Final = "1.0.0"
"""The version of the API that the client was generated for."""


class Operations:
    """The API's operations. Each raises an `AdvisorError` if it fails.

    Args:
        transport: Sends the requests.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def health(self) -> models.HealthResponse:
        """Whether the service answers."""
        return self._transport.call(
            "GET",
            "/health",
            answer=models.HealthResponse,
        )

    def liveness(self) -> models.HealthResponse:
        """Whether the process is alive."""
        return self._transport.call(
            "GET",
            "/liveness",
            answer=models.HealthResponse,
        )

    def readiness(self) -> models.HealthResponse:
        """Whether the service's dependencies answer."""
        return self._transport.call(
            "GET",
            "/readiness",
            answer=models.HealthResponse,
        )

    def check_services(self) -> models.InterServiceResponse:
        """Check every other service concurrently and return each result."""
        return self._transport.call(
            "GET",
            "/test",
            answer=models.InterServiceResponse,
        )

    def get_status(self) -> models.StatusResponse:
        """Return the version, the configuration and the up time of this process."""
        return self._transport.call(
            "GET",
            "/status",
            answer=models.StatusResponse,
        )

    def ask(self, body: models.AskRequest) -> models.AskResponse:
        """Return chat's answer to a question, with citations; begin or continue a conversation."""
        return self._transport.call(
            "POST",
            "/ask",
            answer=models.AskResponse,
            body=body,
        )

    def get_conversation(self, conversation_id: str) -> models.KeptConversation:
        """Return up to 50 of the newest turns, oldest first."""
        return self._transport.call(
            "GET",
            self._transport.path("/conversations/{}", conversation_id),
            answer=models.KeptConversation,
        )

    def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation with its turns and their feedback immediately."""
        self._transport.send(
            "DELETE",
            self._transport.path("/conversations/{}", conversation_id),
        )

    def rate_answer(self, answer_id: str, body: models.Feedback) -> None:
        """Store a rating of an answer; a later rating replaces it."""
        self._transport.send(
            "POST",
            self._transport.path("/answers/{}/feedback", answer_id),
            body=body,
        )

    def store_documents(self, body: models.DocumentsRequest) -> models.DocumentsResponse:
        """Split, embed and store documents, so that questions can be answered from them."""
        return self._transport.call(
            "POST",
            "/documents",
            answer=models.DocumentsResponse,
            body=body,
        )

    def list_documents(self, *, limit: int = 100, cursor: str | None = None) -> models.DocumentPage:
        """Return one page of documents, without their texts; each is on one page only."""
        return self._transport.call(
            "GET",
            "/documents",
            answer=models.DocumentPage,
            query={"limit": limit, "cursor": cursor},
        )

    def get_document(self, document_id: str) -> models.StoredText:
        """Return a document with its passages."""
        return self._transport.call(
            "GET",
            self._transport.path("/documents/{}", document_id),
            answer=models.StoredText,
        )

    def delete_document(self, document_id: str) -> None:
        """Delete a document with its passages."""
        self._transport.send(
            "DELETE",
            self._transport.path("/documents/{}", document_id),
        )

    def search(self, body: models.SearchRequest) -> models.SearchResponse:
        """Return the passages nearest to some words, among the documents that match the filter."""
        return self._transport.call(
            "POST",
            "/search",
            answer=models.SearchResponse,
            body=body,
        )

    def start_ingestion(
        self, body: models.IngestionRequest, *, idempotency_key: str | None = None
    ) -> models.Ingestion:
        """Start an ingestion and return it; its id is needed to read its progress."""
        return self._transport.call(
            "POST",
            "/ingestions",
            answer=models.Ingestion,
            body=body,
            headers={"Idempotency-Key": idempotency_key},
        )

    def get_ingestion(self, ingestion_id: str) -> models.Ingestion:
        """Return how many documents are done, which ones failed, and why it waits."""
        return self._transport.call(
            "GET",
            self._transport.path("/ingestions/{}", ingestion_id),
            answer=models.Ingestion,
        )
