"""The sample documents of the demonstration, stored through the gateway."""

from collections.abc import AsyncIterator

from local.console.gateway_client import GatewayClient, GatewayError
from local.console.models import SampleState
from local.console.parts import Parts
from local.console.questions import event

_PATH = "/api/documents"


class Samples:
    """Stores the sample documents, batch by batch."""

    def __init__(self, parts: Parts, gateway: GatewayClient) -> None:
        self._parts = parts
        self._gateway = gateway

    async def state(self) -> SampleState:
        try:
            found, _ = await self._gateway.call("GET", _PATH, params={"limit": 1}, traced=False)
            is_empty = not found["documents"]
        except GatewayError:
            is_empty = None
        count = sum(map(len, self._parts.sample_batches()))
        return SampleState(count=count, is_store_empty=is_empty)

    async def load(self) -> AsyncIterator[bytes]:
        """Server-sent events: `progress` after each batch, then `done`, or `error`."""
        batches = [*self._parts.sample_batches()]
        total, stored, passages = sum(map(len, batches)), 0, 0
        try:
            for batch in batches:
                answer, _ = await self._gateway.call(
                    "POST", _PATH, key="INGEST_API_KEY", json={"documents": batch}
                )
                stored += len(batch)
                passages += answer["passages"]
                progress = {"stored": stored, "total": total, "passages": passages}
                yield event("done" if stored == total else "progress", progress)
        except GatewayError as error:
            yield event("error", {"error": error.error, "detail": error.detail})
