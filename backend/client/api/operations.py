"""The operations of the API. Generated from docs/openapi.json: do not edit."""

from collections.abc import Iterator
from typing import Final, Literal

from client.api import models
from client.events import Event
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

    def stream_ask(self, body: models.AskRequest) -> Iterator[Event]:
        """Answer as `/ask` does, in server-sent events. The events are `status`, `passages`,
        `unit` and `removed`, and at the end either `done` with the whole answer or `error`.
        Without one of these two, the answer is not whole.
        """
        return self._transport.events(
            "POST",
            "/ask/stream",
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

    def list_documents(
        self, *, limit: int = 100, cursor: str | None = None, owner: str | None = None
    ) -> models.DocumentPage:
        """Return one page of documents, without their texts; each is on one page only."""
        return self._transport.call(
            "GET",
            "/documents",
            answer=models.DocumentPage,
            query={"limit": limit, "cursor": cursor, "owner": owner},
        )

    def get_document(self, document_id: str, *, cursor: str | None = None) -> models.StoredText:
        """Return a document with its passages; those of a long document are on several pages."""
        return self._transport.call(
            "GET",
            self._transport.path("/documents/{}", document_id),
            answer=models.StoredText,
            query={"cursor": cursor},
        )

    def delete_document(self, document_id: str, *, owner: str | None = None) -> None:
        """Delete a document with all its parts and passages; repeat it if it is interrupted."""
        self._transport.send(
            "DELETE",
            self._transport.path("/documents/{}", document_id),
            query={"owner": owner},
        )

    def search(self, body: models.SearchRequest) -> models.SearchResponse:
        """Return the passages that fit some words, among the documents that match the filter."""
        return self._transport.call(
            "POST",
            "/search",
            answer=models.SearchResponse,
            body=body,
        )

    def create_upload(self, body: models.UploadRequest) -> models.Upload:
        """Return a presigned URL for a file that is too large for a request."""
        return self._transport.call(
            "POST",
            "/uploads",
            answer=models.Upload,
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

    def list_ingestions(
        self, *, state: Literal["open"] | None = None, limit: int = 20, cursor: str | None = None
    ) -> models.IngestionPage:
        """Return one page of ingestions in the order of their ids; it may have fewer than
        `limit`.
        """
        return self._transport.call(
            "GET",
            "/ingestions",
            answer=models.IngestionPage,
            query={"state": state, "limit": limit, "cursor": cursor},
        )

    def get_ingestion(self, ingestion_id: str) -> models.Ingestion:
        """Return how many documents are done, which ones failed, and why it waits."""
        return self._transport.call(
            "GET",
            self._transport.path("/ingestions/{}", ingestion_id),
            answer=models.Ingestion,
        )

    def cancel_ingestion(self, ingestion_id: str) -> models.Ingestion | None:
        """Cancel an open ingestion, or remove an ended one. Ingested documents stay in the
        store.
        """
        return self._transport.call_if_any(
            "DELETE",
            self._transport.path("/ingestions/{}", ingestion_id),
            answer=models.Ingestion,
        )
