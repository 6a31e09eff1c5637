"""HTTP of the api service."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request

from api.models import (
    AskRequest,
    AskResponse,
    DocumentsRequest,
    DocumentsResponse,
    Ingestion,
    IngestionRequest,
)
from api.services import Services
from api.status import Status
from shared.models import InterServiceResponse, StatusResponse, error_responses

router = APIRouter(tags=["api"])


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _status(request: Request) -> Status:
    status: Status = request.app.state.status
    return status


Calling = Annotated[Services, Depends(_services)]
JobId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=r"^[A-Za-z0-9._:-]{1,128}$",
        description="The same key with the same body starts one ingestion only.",
    ),
]


@router.get("/test", summary="Ask the other services for their health, through the gateway")
async def get_test(services: Calling) -> InterServiceResponse:
    """Ask chat, s3vector and runner at once; each one's result stands in the answer."""
    return await services.health()


@router.get("/status", summary="What is running, and since when")
async def get_status(status: Annotated[Status, Depends(_status)]) -> StatusResponse:
    """Return the version and the configuration that matters to an operator."""
    return status.now()


@router.post("/ask", summary="Answer a question from the documents")
async def post_ask(body: AskRequest, services: Calling) -> AskResponse:
    """Let the chat service answer, with citations."""
    return await services.ask(body)


@router.post("/documents", summary="Store documents", responses=error_responses(409, 507))
async def post_documents(body: DocumentsRequest, services: Calling) -> DocumentsResponse:
    """Split, embed and store documents, so that questions find them."""
    return await services.store(body)


@router.post(
    "/ingestions",
    status_code=202,
    summary="Ingest many documents in the background",
    responses=error_responses(409),
)
async def post_ingestion(
    body: IngestionRequest, services: Calling, idempotency_key: IdempotencyKey = None
) -> Ingestion:
    """Start an ingestion; ask for its progress under its id."""
    return await services.start_ingestion(body, idempotency_key)


@router.get(
    "/ingestions/{ingestion_id}",
    summary="The progress of an ingestion",
    responses=error_responses(404),
)
async def get_ingestion(ingestion_id: JobId, services: Calling) -> Ingestion:
    """Return how many documents are done, which ones failed, and what it waits for."""
    return await services.ingestion(ingestion_id)
