"""The HTTP routes of the api service."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.models import (
    AskRequest,
    AskResponse,
    DocumentPage,
    DocumentsRequest,
    DocumentsResponse,
    Ingestion,
    IngestionPage,
    IngestionRequest,
    SearchRequest,
    SearchResponse,
    StoredText,
)
from api.services import Services
from api.status import Status
from shared.answers import AnswerId, ConversationId, Feedback, KeptConversation
from shared.description.headers import ACCEPTED, IdempotencyKey
from shared.documents import DocumentId, PassageCursor
from shared.events.stream import EventStreamResponse, event_stream
from shared.ingestion.documents import JobCursor
from shared.ingestion.uploads import Upload, UploadRequest
from shared.models import InterServiceResponse, StatusResponse, error_responses
from shared.users import NamedOwner

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


@router.get("/test", summary="Check the health of the other services through the gateway")
async def check_services(services: ServicesPort) -> InterServiceResponse:
    """Check every other service concurrently and return each result."""
    return await services.health()


@router.get("/status", summary="Version and configuration of this service")
async def get_status(status: StatusPort) -> StatusResponse:
    """Return the version, the configuration and the up time of this process."""
    return status.now()


@router.post(
    "/ask", summary="Answer a question from the documents", responses=error_responses(404, 409)
)
async def ask(body: AskRequest, services: ServicesPort) -> AskResponse:
    """Return chat's answer to a question, with citations; begin or continue a conversation."""
    return await services.ask(body)


@router.post(
    "/ask/stream",
    summary="Answer a question, in parts as they are checked",
    response_class=EventStreamResponse,
    responses=error_responses(404),
)
async def stream_ask(
    request: Request, body: AskRequest, services: ServicesPort
) -> EventStreamResponse:
    """Answer as `/ask` does, in server-sent events.

    The events are `status`, `passages`, `unit` and `removed`, and at the end either `done` with the
    whole answer or `error`. Without one of these two, the answer is not whole.
    """
    return await event_stream(request, partial(services.ask_stream, body))


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
async def rate_answer(answer_id: AnswerId, body: Feedback, services: ServicesPort) -> None:
    """Store a rating of an answer; a later rating replaces it."""
    await services.rate(answer_id, body)


@router.post("/documents", summary="Store documents", responses=error_responses(409, 507))
async def store_documents(body: DocumentsRequest, services: ServicesPort) -> DocumentsResponse:
    """Split, embed and store documents, so that questions can be answered from them."""
    return await services.store(body)


@router.get("/documents", summary="List documents", responses=error_responses(409))
async def list_documents(
    services: ServicesPort,
    owner: NamedOwner,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[
        str | None,
        Query(min_length=1, max_length=4096, description="The cursor of the page before."),
    ] = None,
) -> DocumentPage:
    """Return one page of documents, without their texts; each is on one page only."""
    return await services.documents(limit, cursor, owner)


@router.get(
    "/documents/{document_id}", summary="Read a document", responses=error_responses(404, 409)
)
async def get_document(
    document_id: DocumentId, services: ServicesPort, cursor: PassageCursor = None
) -> StoredText:
    """Return a document with its passages; those of a long document are on several pages."""
    return await services.document(document_id, cursor)


@router.delete(
    "/documents/{document_id}",
    status_code=204,
    summary="Delete a document",
    responses=error_responses(404, 409),
)
async def delete_document(
    document_id: DocumentId, services: ServicesPort, owner: NamedOwner
) -> None:
    """Delete a document with all its parts and passages; repeat it if it is interrupted."""
    await services.delete_document(document_id, owner)


@router.post("/search", summary="Find passages", responses=error_responses(409))
async def search(body: SearchRequest, services: ServicesPort) -> SearchResponse:
    """Return the passages that fit some words, among the documents that match the filter."""
    return await services.search(body)


@router.post(
    "/uploads",
    status_code=201,
    summary="Get a URL to upload a file to",
)
async def create_upload(body: UploadRequest, services: ServicesPort) -> Upload:
    """Return a presigned URL for a file that is too large for a request."""
    return await services.make_upload(body)


@router.post(
    "/ingestions",
    status_code=202,
    summary="Ingest many documents in the background",
    responses=ACCEPTED | error_responses(409),
)
async def start_ingestion(
    body: IngestionRequest,
    services: ServicesPort,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> Ingestion:
    """Start an ingestion and return it; its id is needed to read its progress."""
    ingestion = await services.start_ingestion(body, idempotency_key)
    response.headers["location"] = f"ingestions/{ingestion.id}"
    return ingestion


@router.get("/ingestions", summary="List ingestions")
async def list_ingestions(
    services: ServicesPort,
    state: Annotated[
        Literal["open"] | None, Query(description="`open`: only those with work left.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: JobCursor | None = None,
) -> IngestionPage:
    """Return one page of ingestions in the order of their ids; it may have fewer than `limit`."""
    return await services.ingestions(limit, cursor, only_open=state == "open")


@router.get(
    "/ingestions/{ingestion_id}",
    summary="Read the progress of an ingestion",
    responses=error_responses(404),
)
async def get_ingestion(ingestion_id: JobId, services: ServicesPort) -> Ingestion:
    """Return how many documents are done, which ones failed, and why it waits."""
    return await services.ingestion(ingestion_id)


@router.delete(
    "/ingestions/{ingestion_id}",
    response_model=Ingestion,
    summary="Cancel an open ingestion, or remove an ended one",
    response_description="The ingestion, cancelled.",
    responses=error_responses(404, 409)
    | {204: {"description": "The ingestion had ended and is removed."}},
)
async def cancel_ingestion(ingestion_id: JobId, services: ServicesPort) -> Ingestion | Response:
    """Cancel an open ingestion, or remove an ended one. Ingested documents stay in the store."""
    cancelled = await services.end_ingestion(ingestion_id)
    return Response(status_code=204) if cancelled is None else cancelled
