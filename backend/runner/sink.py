"""Where the runner stores documents: s3vector, called through the gateway."""

from collections.abc import Sequence
from typing import Any, Protocol

from shared.api_client import CallError, RequestRefused, ServiceAPIClient
from shared.errors import ServiceError

type DocumentPayload = dict[str, Any]
"""A document as JSON, as `shared.documents.DocumentBody` describes it."""


class DocumentSink(Protocol):
    """A store of documents. Both methods are idempotent and raise `ServiceError`."""

    async def put(self, documents: Sequence[DocumentPayload], *, timeout_seconds: float) -> None:
        """Store documents, replacing those with the same ids."""

    async def delete(self, document_id: str, *, timeout_seconds: float) -> None:
        """Delete a document; one that does not exist is no error."""


class GatewaySink:
    """A `DocumentSink` that calls s3vector with the runner's own API key."""

    def __init__(self, client: ServiceAPIClient) -> None:
        self._client = client

    async def put(self, documents: Sequence[DocumentPayload], *, timeout_seconds: float) -> None:
        """Store documents, replacing those with the same ids."""
        await self._client.put(
            "/s3vector/documents",
            json={"documents": list(documents)},
            timeout_seconds=timeout_seconds,
        )

    async def delete(self, document_id: str, *, timeout_seconds: float) -> None:
        """Delete a document; one that does not exist is no error."""
        try:
            await self._client.delete(
                f"/s3vector/documents/{document_id}", timeout_seconds=timeout_seconds
            )
        except RequestRefused as error:
            if error.status != 404:
                raise


def is_refusal(error: ServiceError) -> bool:
    """Return whether s3vector refused the documents; another attempt would be refused, too."""
    return isinstance(error, RequestRefused) and error.status in {400, 413, 422}


def may_be_caused_by_document(error: ServiceError) -> bool:
    """Return whether a document may have made s3vector fail or exceed its time.

    An outage looks different: no connection, a throttle, a 503, a full store. The job waits until
    an outage ends; a document that fails again and again is skipped.
    """
    if isinstance(error, RequestRefused):
        return False  # a wrong key, quota or path
    if isinstance(error, CallError) and error.response is not None:
        return error.response.status_code in {500, 502, 504}
    return error.status in {502, 504}
