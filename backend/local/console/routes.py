"""The routes of the console's API, below `/console`."""

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from local.compute.environments import InitFailedError
from local.compute.web_services import ServiceFailedError
from local.console.models import (
    Ask,
    DocumentPage,
    DocumentText,
    Estate,
    FaultOrder,
    FaultState,
    Found,
    Health,
    Level,
    LogPage,
    Problem,
    SampleState,
    Search,
    Trace,
    TracePage,
    Upload,
)
from local.console.processes import Action
from local.console.services import Services
from local.console.uploads import LARGEST_BYTES
from local.faults import parse_fault
from local.traces.summaries import Filter

TOKEN_HEADER = "x-console-token"  # noqa: S105 - the header's name

_EVENT_STREAM = "text/event-stream"


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _require_token(
    request: Request, token: Annotated[str, Header(alias=TOKEN_HEADER)] = ""
) -> None:
    expected: str = request.app.state.token
    if not secrets.compare_digest(token.encode(), expected.encode()):
        raise HTTPException(403, f"Send the page's token as {TOKEN_HEADER}; reload the page.")


Parts = Annotated[Services, Depends(_services)]
DocumentId = Annotated[str, Path(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=4096)]
Words = Annotated[str | None, Query(max_length=500)]

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem} for code in (400, 403, 404, 422, 502)
}
router = APIRouter(prefix="/console", responses={422: {"model": Problem}})
changes = APIRouter(prefix="/console", dependencies=[Depends(_require_token)], responses=_PROBLEMS)


@router.get("/events", response_class=StreamingResponse, include_in_schema=False)
async def get_events(parts: Parts) -> StreamingResponse:
    return StreamingResponse(
        parts.events.stream(), media_type=_EVENT_STREAM, headers={"cache-control": "no-store"}
    )


@router.get("/api/estate")
async def get_estate(parts: Parts) -> Estate:
    return parts.state.now()


@router.get("/api/traces")
async def get_traces(
    *,
    parts: Parts,
    service: Words = None,
    outcome: Literal["ok", "refused", "failed"] | None = None,
    at_least_ms: Annotated[float, Query(ge=0, le=1e9)] = 0.0,
    text: Words = None,
    background: bool = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> TracePage:
    wanted = Filter(service, outcome, at_least_ms, text, background)
    return parts.listings.traces(wanted, limit, cursor)


@router.get("/api/traces/{trace_id}", responses={404: {"model": Problem}})
async def get_trace(parts: Parts, trace_id: Annotated[str, Path(max_length=64)]) -> Trace:
    found = parts.listings.trace(trace_id)
    if found is None:
        detail = "No span of this trace has arrived; spans are sent when their request has ended."
        raise HTTPException(404, detail)
    return found


@router.get("/api/logs")
async def get_logs(
    *,
    parts: Parts,
    service: Words = None,
    level: Level = "debug",
    trace: Words = None,
    text: Words = None,
    before: Annotated[int | None, Query(ge=0)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> LogPage:
    return parts.listings.lines(
        service=service, level=level, trace_id=trace, text=text, before=before, limit=limit
    )


@router.get("/api/documents", responses=_PROBLEMS)
async def get_documents(parts: Parts, cursor: Cursor = None) -> DocumentPage:
    return await parts.library.page(cursor)


@router.get("/api/documents/{document_id}", responses=_PROBLEMS)
async def get_document(parts: Parts, document_id: DocumentId) -> DocumentText:
    return await parts.library.document(document_id)


@router.get("/api/samples")
async def get_samples(parts: Parts) -> SampleState:
    return await parts.samples.state()


@router.get("/api/uploads")
async def get_uploads(parts: Parts) -> list[Upload]:
    return parts.uploads.latest()


@changes.delete("/api/documents/{document_id}", status_code=204)
async def delete_document(parts: Parts, document_id: DocumentId) -> None:
    await parts.library.delete(document_id)


@changes.post("/api/ask", response_class=StreamingResponse)
async def post_ask(parts: Parts, body: Ask) -> StreamingResponse:
    """Answer with server-sent events: `trace`, `status`, `unit`, `removed`, `done`, `error`."""
    return StreamingResponse(parts.questions.ask(body), media_type=_EVENT_STREAM)


@changes.post("/api/search")
async def post_search(parts: Parts, body: Search) -> Found:
    return await parts.library.search(body)


@changes.post("/api/samples", response_class=StreamingResponse)
async def post_samples(parts: Parts) -> StreamingResponse:
    """Store the sample documents. Server-sent events: `progress`, then `done` or `error`."""
    return StreamingResponse(parts.samples.load(), media_type=_EVENT_STREAM)


@changes.post("/api/uploads", status_code=202)
async def post_upload(
    parts: Parts, request: Request, name: Annotated[str, Query(max_length=400)]
) -> Upload:
    """Ingest the file in the body."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST_BYTES:
            raise HTTPException(413, f"The file is over {LARGEST_BYTES:,} bytes; split it.")
    return parts.uploads.start(name, bytes(content))


@changes.post("/api/services/{service}/{action}", status_code=204)
async def post_service(parts: Parts, service: str, action: Action) -> None:
    try:
        await parts.processes.change(service, action)
    except KeyError:
        raise HTTPException(404, f"There is no service {service!r}.") from None
    except (InitFailedError, ServiceFailedError) as error:
        raise HTTPException(502, f"{service} does not start: {error}") from error


@changes.post("/api/health-checks")
async def post_health_checks(parts: Parts) -> list[Health]:
    """Call the health check of each service through the gateway."""
    return await parts.health.check()


@changes.post("/api/faults")
async def post_fault(parts: Parts, body: FaultOrder) -> FaultState:
    try:
        parts.faults.order(parse_fault(body.fault))
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    return parts.state.faults()


@changes.delete("/api/faults")
async def delete_faults(
    parts: Parts,
    fault: Annotated[str | None, Query(max_length=200, description="By default all.")] = None,
) -> FaultState:
    if fault is None:
        parts.faults.clear()
    elif not parts.faults.cancel(fault):
        raise HTTPException(404, "No fault with this text is ordered.")
    return parts.state.faults()
