"""Where ingested documents go: s3vector, through the gateway."""

from collections.abc import Sequence
from typing import Any, Protocol

from shared.api_client import CallError, RequestRefused, ServiceAPIClient
from shared.errors import ServiceError

type Outgoing = dict[str, Any]
"""A document as s3vector takes it: id, text, title, metadata."""


class Ingest(Protocol):
    """The store of documents. Both methods may be repeated, and raise `ServiceError`."""

    async def put(self, documents: Sequence[Outgoing], *, timeout_seconds: float) -> None:
        """Store documents in the place of those with the same ids."""

    async def delete(self, document_id: str, *, timeout_seconds: float) -> None:
        """Remove a document; one that is not there is no error."""


class GatewayIngest:
    """`Ingest` by calls to s3vector with the runner's own key."""

    def __init__(self, client: ServiceAPIClient) -> None:
        self._client = client

    async def put(self, documents: Sequence[Outgoing], *, timeout_seconds: float) -> None:
        """Store documents in the place of those with the same ids."""
        await self._client.put(
            "/s3vector/documents",
            json={"documents": list(documents)},
            timeout_seconds=timeout_seconds,
        )

    async def delete(self, document_id: str, *, timeout_seconds: float) -> None:
        """Remove a document; one that is not there is no error."""
        try:
            await self._client.delete(
                f"/s3vector/documents/{document_id}", timeout_seconds=timeout_seconds
            )
        except RequestRefused as error:
            if error.status != 404:
                raise


def is_refusal(error: ServiceError) -> bool:
    """Return whether the documents themselves were refused, so that a repetition is no use."""
    return isinstance(error, RequestRefused) and error.status in {400, 413, 422}


def may_be_the_documents_fault(error: ServiceError) -> bool:
    """Return whether a document may have made the service fail or run out of time.

    An outage looks different: no connection, a throttle, a 503, a full store. Those are waited for
    as long as they take; a document that fails again and again on its own is given up.
    """
    if isinstance(error, RequestRefused):
        return False  # a key, a quota or a path: this estate's fault
    if isinstance(error, CallError) and error.response is not None:
        return error.response.status_code in {500, 502, 504}
    return error.status in {502, 504}
