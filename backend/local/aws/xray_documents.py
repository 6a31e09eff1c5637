"""Sends spans to the embedded X-Ray as segment documents (`aws xray get-trace-summaries`).

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

import asyncio
import contextlib
import json
import logging
import re
from typing import Any

from local.aws.server import boto3_client
from local.blueprint import REGION
from local.traces.spans import Span
from local.traces.store import TraceStore

_FORWARD_SECONDS = 0.2
_MOST_DOCUMENTS = 50  # in one PutTraceSegments
_FORBIDDEN = re.compile(r"[^\w\s.:/%&#=+\\\-@]")

_log = logging.getLogger(__name__)


def document(span: Span) -> dict[str, Any]:
    """The segment document of a span: a segment for a server's span, a subsegment for others."""
    is_segment = span.kind == "SERVER" or not span.parent_id
    remote = span.kind == "CLIENT"
    aws = remote and span.attributes.get("rpc.system") == "aws-api"
    name = span.service if is_segment else _remote_name(span) if remote else span.name
    result: dict[str, Any] = {
        "trace_id": span.xray_trace_id,
        "id": span.span_id,
        "name": _FORBIDDEN.sub("_", name)[:200] or "span",
        "start_time": span.start_ns / 1e9,
        "end_time": span.end_ns / 1e9,
    }
    if span.parent_id:
        result["parent_id"] = span.parent_id
    if not is_segment:
        result["type"] = "subsegment"
    if remote:
        result["namespace"] = "aws" if aws else "remote"
    if http := _http(span):
        result["http"] = http
    result |= _failure(span, http.get("response", {}).get("status"))
    result["metadata"] = {"default": span.attributes}
    return result


class XRayForwarder:
    """Forwards new spans of the store to the embedded X-Ray, a few times a second."""

    def __init__(self, store: TraceStore, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._waiting: list[Span] = []
        self._task: asyncio.Task[None] | None = None
        store.on_spans(self._waiting.extend)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        client: Any = None
        while True:
            await asyncio.sleep(_FORWARD_SECONDS)
            spans = self._waiting[:_MOST_DOCUMENTS]
            del self._waiting[:_MOST_DOCUMENTS]
            if not spans:
                continue
            if client is None:
                client = await asyncio.to_thread(
                    boto3_client, "xray", endpoint_url=self._endpoint_url, region=REGION
                )
            documents = [json.dumps(document(span), default=str) for span in spans]
            try:
                await asyncio.to_thread(client.put_trace_segments, TraceSegmentDocuments=documents)
            except Exception as error:  # noqa: BLE001 - the store still has the spans
                _log.warning("X-Ray refused %d documents: %r", len(documents), error)


def _remote_name(span: Span) -> str:
    attributes = span.attributes
    return str(attributes.get("rpc.service") or attributes.get("server.address") or span.name)


def _http(span: Span) -> dict[str, Any]:
    attributes = span.attributes
    request = {
        "method": attributes.get("http.request.method"),
        "url": attributes.get("url.full") or attributes.get("url.path"),
        "client_ip": attributes.get("client.address"),
        "user_agent": attributes.get("user_agent.original"),
    }
    request = {name: value for name, value in request.items() if value is not None}
    result: dict[str, Any] = {"request": request} if request else {}
    if status := attributes.get("http.response.status_code"):
        result["response"] = {"status": status}
    return result


def _failure(span: Span, status: int | None) -> dict[str, bool]:
    if status is not None and 400 <= status < 500:
        return {"error": True} | ({"throttle": True} if status == 429 else {})
    return {"fault": True} if span.status == "ERROR" else {}
