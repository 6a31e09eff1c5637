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
        return SampleState(count=self._count(), is_store_empty=is_empty)

    async def load(self) -> AsyncIterator[bytes]:
        """Server-sent events: `progress` after each batch, then `done`, or `error`."""
        total, stored, passages = self._count(), 0, 0
        try:
            for batch in self._parts.sample_batches():
                answer, _ = await self._gateway.call(
                    "POST", _PATH, key="INGEST_API_KEY", json={"documents": batch}
                )
                stored += len(batch)
                passages += answer["passages"]
                progress = {"stored": stored, "total": total, "passages": passages}
                yield event("done" if stored == total else "progress", progress)
        except GatewayError as error:
            yield event("error", {"error": error.error, "detail": error.detail})

    def _count(self) -> int:
        return sum(map(len, self._parts.sample_batches()))
