"""The HTTP routes of the api service."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request

from api.models import (
    AskRequest,
    AskResponse,
    DocumentPage,
    DocumentsRequest,
    DocumentsResponse,
    Ingestion,
    IngestionRequest,
    SearchRequest,
    SearchResponse,
    StoredText,
)
from api.services import Services
from api.status import Status
from shared.answers import AnswerId, ConversationId, Feedback, KeptConversation
from shared.documents import DocumentId
from shared.models import InterServiceResponse, StatusResponse, error_responses

router = APIRouter(tags=["api"])


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _status(request: Request) -> Status:
    status: Status = request.app.state.status
    return status


ServicesPort = Annotated[Services, Depends(_services)]
StatusPort = Annotated[Status, Depends(_status)]
JobId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=r"^[A-Za-z0-9._:-]{1,128}$",
        description="A repetition with the same key and body returns the same ingestion.",
    ),
]


@router.get("/test", summary="Check the health of the other services through the gateway")
async def get_test(services: ServicesPort) -> InterServiceResponse:
    """Check every other service concurrently and return each result."""
    return await services.health()


@router.get("/status", summary="Version and configuration of this service")
async def get_status(status: StatusPort) -> StatusResponse:
    """Return the version, the configuration and the up time of this process."""
    return status.now()


@router.post("/ask", summary="Answer a question from the documents", responses=error_responses(404))
async def post_ask(body: AskRequest, services: ServicesPort) -> AskResponse:
    """Return chat's answer to a question, with citations; begin or continue a conversation."""
    return await services.ask(body)


@router.get(
    "/conversations/{conversation_id}",
    summary="Read a conversation",
    responses=error_responses(404),
)
async def get_conversation(
    conversation_id: ConversationId, services: ServicesPort
) -> KeptConversation:
    """Return up to 50 of the newest turns, oldest first."""
    return await services.conversation(conversation_id)


@router.delete(
    "/conversations/{conversation_id}",
    status_code=204,
    summary="Erase a conversation",
    responses=error_responses(404),
)
async def delete_conversation(conversation_id: ConversationId, services: ServicesPort) -> None:
    """Delete a conversation with its turns and their feedback immediately."""
    await services.erase(conversation_id)


@router.post(
    "/answers/{answer_id}/feedback",
    status_code=204,
    summary="Rate an answer",
    responses=error_responses(404),
)
async def post_feedback(answer_id: AnswerId, body: Feedback, services: ServicesPort) -> None:
    """Store a rating of an answer; a later rating replaces it."""
    await services.rate(answer_id, body)


@router.post("/documents", summary="Store documents", responses=error_responses(409, 507))
async def post_documents(body: DocumentsRequest, services: ServicesPort) -> DocumentsResponse:
    """Split, embed and store documents, so that questions can be answered from them."""
    return await services.store(body)


@router.get("/documents", summary="List documents")
async def get_documents(
    services: ServicesPort,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[
        str | None,
        Query(min_length=1, max_length=4096, description="The cursor of the page before."),
    ] = None,
) -> DocumentPage:
    """Return one page of documents, without their texts; each is on one page only."""
    return await services.documents(limit, cursor)


@router.get("/documents/{document_id}", summary="Read a document", responses=error_responses(404))
async def get_document(document_id: DocumentId, services: ServicesPort) -> StoredText:
    """Return a document with its passages."""
    return await services.document(document_id)


@router.delete(
    "/documents/{document_id}",
    status_code=204,
    summary="Delete a document",
    responses=error_responses(403, 404),
)
async def delete_document(document_id: DocumentId, services: ServicesPort) -> None:
    """Delete a document with its passages."""
    await services.delete_document(document_id)


@router.post("/search", summary="Find passages")
async def post_search(body: SearchRequest, services: ServicesPort) -> SearchResponse:
    """Return the passages that fit some words, among the documents that match the filter."""
    return await services.search(body)


@router.post(
    "/ingestions",
    status_code=202,
    summary="Ingest many documents in the background",
    responses=error_responses(409),
)
async def post_ingestion(
    body: IngestionRequest, services: ServicesPort, idempotency_key: IdempotencyKey = None
) -> Ingestion:
    """Start an ingestion and return it; its id is needed to read its progress."""
    return await services.start_ingestion(body, idempotency_key)


@router.get(
    "/ingestions/{ingestion_id}",
    summary="Read the progress of an ingestion",
    responses=error_responses(404),
)
async def get_ingestion(ingestion_id: JobId, services: ServicesPort) -> Ingestion:
    """Return how many documents are done, which ones failed, and why it waits."""
    return await services.ingestion(ingestion_id)
