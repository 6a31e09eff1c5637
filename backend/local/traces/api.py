"""The traces as JSON: `/traces` (summaries of the latest) and `/traces/{id}`."""

import json
import re
from typing import Any
from urllib.parse import parse_qs

from local.net.serving import Receive, Scope, Send, respond
from local.traces.spans import plain_trace_id
from local.traces.store import TraceStore

_MOST_SUMMARIES = 1000
_NUMBER = re.compile(r"[0-9]{1,6}")


class TracesApi:
    """Serves the traces in the store over ASGI."""

    def __init__(self, store: TraceStore) -> None:
        self._store = store

    def serves(self, path: str) -> bool:
        return path == "/traces" or path.startswith("/traces/")

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if not self.serves(path):
            await _answer(send, 404, {"error": "not_found", "detail": f"There is no {path}."})
        elif scope["method"] not in {"GET", "HEAD"}:
            await respond(send, 405, [("allow", "GET, HEAD")])
        elif path == "/traces":
            await _answer(send, 200, {"traces": self._store.latest(_limit(scope))})
        else:
            await self._answer_trace(path.removeprefix("/traces/"), send)

    async def _answer_trace(self, trace_id: str, send: Send) -> None:
        spans = self._store.trace(trace_id)
        if not spans:
            detail = (
                f"No span of {trace_id} has arrived; spans are sent when their request has ended."
            )
            await _answer(send, 404, {"error": "not_found", "detail": detail})
            return
        content = {
            "trace_id": plain_trace_id(trace_id),
            "xray_trace_id": spans[0].xray_trace_id,
            "spans": [span.as_dict() for span in spans],
        }
        await _answer(send, 200, content)


def _limit(scope: Scope) -> int:
    [text] = parse_qs(scope["query_string"].decode("latin-1")).get("limit", ["50"])[:1]
    # Six digits at most: Python refuses to read a number of thousands of digits.
    return max(1, min(int(text), _MOST_SUMMARIES)) if _NUMBER.fullmatch(text) else 50


async def _answer(send: Send, status: int, content: dict[str, Any]) -> None:
    body = json.dumps(content).encode()
    await respond(send, status, [("content-type", "application/json")], body)
