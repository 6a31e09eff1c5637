"""Calls to the other services, all through the gateway."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

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
    body_of,
)
from shared.answers import Feedback, GivenAnswer, KeptConversation
from shared.api_client import BadAnswer, CallError, ServiceAPIClient
from shared.errors import BadDependency, CapacityExceeded, ServiceError
from shared.events.stream import Event, EventReader, Send, event_of
from shared.ingestion.uploads import Upload, UploadRequest
from shared.logging import get_logger, request_context
from shared.models import ErrorResponse, InterServiceResponse, ServiceInfo

_log = get_logger(__name__)


class Services:
    """Calls the other services with this service's own API key.

    Raises:
        CallError: A call failed. Errors that the caller can correct keep their status.
        BadDependency: An answer could not be parsed.
    """

    def __init__(
        self,
        client: ServiceAPIClient,
        *,
        service_name: str,
        peers: Sequence[str],
        health_timeout_seconds: float,
    ) -> None:
        self._client = client
        self._service_name = service_name
        self._peers = peers
        self._health_timeout_seconds = health_timeout_seconds

    async def health(self) -> InterServiceResponse:
        """Check every other service concurrently; failures are reported, not raised."""
        infos = await asyncio.gather(*(self._health_of(name) for name in self._peers))
        return InterServiceResponse(
            service=self._service_name,
            healthy=all(info.healthy for info in infos),
            trace_id=request_context.active_trace_id(),
            services={info.service: info for info in infos},
        )

    async def ask(self, question: AskRequest) -> AskResponse:
        """Answer a question by calling chat."""
        response = await self._client.post("/chat/messages", json=_messages(question))
        return _ask_response(response.content)

    async def ask_stream(self, question: AskRequest, send: Send) -> Event:
        """Send the events of chat's answer, and return `done`, which has what `ask` returns.

        Raises:
            StreamFailed: Chat sent an error, or its answer broke off.
        """
        reader = EventReader()
        stream = self._client.stream("POST", "/chat/messages/stream", json=_messages(question))
        async with stream as pieces:
            async for piece in pieces:
                for event in reader.feed(piece):
                    if event.name == "done":
                        return event_of("done", _ask_response(event.data))
                    if event.name == "error":
                        raise StreamFailed(_parse(ErrorResponse, event.data, "chat"))
                    await send(event)
        raise StreamFailed(None)

    async def conversation(self, conversation_id: str) -> KeptConversation:
        """Return a conversation that chat stores."""
        response = await self._client.get(f"/chat/conversations/{conversation_id}")
        return _parse(KeptConversation, response.content, "chat")

    async def erase(self, conversation_id: str) -> None:
        """Delete a conversation that chat stores."""
        await self._client.delete(f"/chat/conversations/{conversation_id}")

    async def rate(self, answer_id: str, feedback: Feedback) -> None:
        """Store a rating of an answer in chat."""
        await self._client.post(f"/chat/answers/{answer_id}/feedback", json=body_of(feedback))

    async def store(self, request: DocumentsRequest) -> DocumentsResponse:
        """Store documents in s3vector."""
        try:
            response = await self._client.put(
                "/s3vector/documents", params={"whole": "true"}, json=body_of(request)
            )
        except BadAnswer as error:
            if error.response is not None and error.response.status_code == CapacityExceeded.status:
                raise CapacityExceeded(error.detail) from error
            raise
        return _parse(DocumentsResponse, response.content, "s3vector")

    async def search(self, request: SearchRequest) -> SearchResponse:
        """Find passages in s3vector."""
        response = await self._client.post("/s3vector/query", json=body_of(request))
        return _parse(SearchResponse, response.content, "s3vector")

    async def documents(self, limit: int, cursor: str | None, owner: str | None) -> DocumentPage:
        """Return one page of the documents in s3vector; `owner` as in `NamedOwner`."""
        params = _given(limit=limit, cursor=cursor, owner=owner)
        response = await self._client.get("/s3vector/documents", params=params)
        return _parse(DocumentPage, response.content, "s3vector")

    async def document(self, document_id: str, cursor: str | None) -> StoredText:
        """Return a document in s3vector with one page of its passages."""
        path = f"/s3vector/documents/{document_id}"
        response = await self._client.get(path, params=_given(cursor=cursor))
        return _parse(StoredText, response.content, "s3vector")

    async def delete_document(self, document_id: str, owner: str | None) -> None:
        """Delete a document in s3vector; `owner` as in `NamedOwner`."""
        path = f"/s3vector/documents/{document_id}"
        await self._client.delete(path, params=_given(owner=owner))

    async def make_upload(self, request: UploadRequest) -> Upload:
        """Return where to put a file that a document of an ingestion names."""
        response = await self._client.post("/runner/uploads", json=body_of(request))
        return _parse(Upload, response.content, "runner")

    async def start_ingestion(
        self, request: IngestionRequest, idempotency_key: str | None
    ) -> Ingestion:
        """Create a job of the runner; a repetition with the same key returns the same job."""
        headers = {"idempotency-key": idempotency_key} if idempotency_key else None
        response = await self._client.post("/runner/jobs", json=body_of(request), headers=headers)
        return _parse(Ingestion, response.content, "runner")

    async def ingestion(self, job_id: str) -> Ingestion:
        """Return a job of the runner with its progress."""
        response = await self._client.get(f"/runner/jobs/{job_id}")
        return _parse(Ingestion, response.content, "runner")

    async def ingestions(self, limit: int, cursor: str | None, *, only_open: bool) -> IngestionPage:
        """Return one page of the runner's jobs."""
        params = _given(limit=limit, cursor=cursor, state="open" if only_open else None)
        response = await self._client.get("/runner/jobs", params=params)
        return _parse(IngestionPage, response.content, "runner")

    async def end_ingestion(self, job_id: str) -> Ingestion | None:
        """Cancel an open job of the runner and return it; remove an ended one and return None."""
        response = await self._client.delete(f"/runner/jobs/{job_id}")
        if response.status_code == 204:
            return None
        return _parse(Ingestion, response.content, "runner")

    async def _health_of(self, name: str) -> ServiceInfo:
        started = time.perf_counter()
        try:
            response = await self._client.get(
                f"/{name}/health", timeout_seconds=self._health_timeout_seconds
            )
        except ServiceError as error:
            answered = error.response if isinstance(error, CallError) else None
            _log.warning("service_unhealthy", target=name, error=error.code, detail=error.detail)
            return ServiceInfo(
                service=name,
                healthy=False,
                status=answered.status_code if answered is not None else None,
                duration=round(time.perf_counter() - started, 6),
                error=error.code,
                detail=error.detail,
            )
        return ServiceInfo(
            service=name,
            healthy=True,
            status=response.status_code,
            duration=round(time.perf_counter() - started, 6),
        )


class StreamFailed(BadDependency):
    """Chat's answer broke off; with `error`, chat says why."""

    code = "stream_broken"

    def __init__(self, error: ErrorResponse | None) -> None:
        super().__init__(error.detail if error else "The answer broke off; ask again.")
        if error is not None:
            self.code = error.error


def _messages(question: AskRequest) -> dict[str, Any]:
    body = body_of(question)
    body["messages"] = [{"role": "user", "content": body.pop("question")}]
    return body


def _ask_response(content: bytes | str) -> AskResponse:
    answer = _parse(GivenAnswer, content, "chat")
    return AskResponse(
        **answer.model_dump(),
        trace_id=request_context.active_trace_id(),
        request_id=request_context.request_id(),
    )


def _given(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _parse[A: BaseModel](answer: type[A], content: bytes | str, service: str) -> A:
    try:
        return answer.model_validate_json(content)
    except ValidationError as error:
        raise BadDependency(f"The answer of {service} lacks expected fields.") from error
