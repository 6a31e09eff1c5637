"""Asks a question through the gateway and passes the answer on as server-sent events."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from local.console.gateway_client import GatewayClient, GatewayError
from local.console.models import Ask

_PATH = "/api/ask"
_STREAM_PATH = "/api/ask/stream"
# What the service answers where the streaming route does not exist.
_NO_ROUTE = frozenset([404, 405])
_UNIT = re.compile(r".*?(?:[.!?](?:\s*\[\d+\])*(?=\s|$)|\n|$)", re.DOTALL)


class Questions:
    """Answers questions, streamed where the gateway has the streaming route.

    The events are `trace`, then `status`, `passages`, `unit`, `removed` as the route sends them,
    and `done` with the whole answer, or `error`.
    """

    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway
        self._streams = True

    async def ask(self, question: Ask) -> AsyncIterator[bytes]:
        body = question.model_dump(exclude_none=True)
        try:
            if self._streams:
                async for part in self._streamed(body):
                    yield part
            if not self._streams:
                async for part in self._whole(body):
                    yield part
        except GatewayError as error:
            yield event("trace", {"trace_id": error.trace_id})
            problem = {"error": error.error, "detail": error.detail, "status": error.status}
            yield event("error", problem)

    async def _streamed(self, body: dict[str, Any]) -> AsyncIterator[bytes]:
        try:
            async with self._gateway.stream(_STREAM_PATH, body) as (response, trace_id):
                yield event("trace", {"trace_id": trace_id})
                async for chunk in response.aiter_bytes():
                    yield chunk
        except GatewayError as error:
            if not _lacks_route(error):
                raise
            self._streams = False

    async def _whole(self, body: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("status", {"state": "searching"})
        answer, trace_id = await self._gateway.call("POST", _PATH, json=body)
        yield event("trace", {"trace_id": trace_id})
        for name, content in _events_of(answer):
            yield event(name, content)


def event(name: str, content: Any) -> bytes:
    """A server-sent event with JSON."""
    return f"event: {name}\ndata: {json.dumps(content)}\n\n".encode()


def _lacks_route(error: GatewayError) -> bool:
    if error.status == 403:  # a wrong key is a 403 as well
        return "Missing Authentication Token" in error.detail
    return error.status in _NO_ROUTE


def _events_of(answer: dict[str, Any]) -> list[tuple[str, Any]]:
    """The events of an answer that came as a whole."""
    units = [{"text": unit} for unit in _UNIT.findall(answer["answer"]) if unit]
    removed = answer.get("removed", [])
    return [
        *(("unit", unit) for unit in units),
        *(("removed", one) for one in removed),
        ("done", answer),
    ]
