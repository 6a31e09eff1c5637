"""The demonstration: the sample documents go in, a question is asked, an answer with citations
comes out.
"""

import asyncio
import time
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape

from local.demo.documents import QUESTION, batches, documents
from local.demo.waterfall import show
from local.gateway.hops import Hop, Hops
from local.net.sockets import NO_CERTIFICATES
from local.traces.spans import Span
from local.traces.store import TraceStore

_LEAST_CITATIONS = 2
_PATH = ["api", "chat", "s3vector"]
_SPANS_SECONDS = 3.0


class DemoFailedError(Exception):
    """The estate did not do what the demonstration shows; the message says what."""


async def demonstrate(
    api_url: str, api_key: str, hops: Hops, console: Console, traces: TraceStore | None = None
) -> None:
    """Load, ask and print, all through the gateway, and where there are traces the question's;
    DemoFailedError when an answer is not as it should be.
    """
    async with httpx.AsyncClient(
        headers={"x-api-key": api_key}, timeout=35.0, trust_env=False, verify=NO_CERTIFICATES
    ) as client:
        items = documents()
        passages = 0
        for batch in batches(items):
            loaded = await _call(client, f"{api_url}/api/documents", {"documents": batch})
            passages += loaded.json()["passages"]
        console.print(f"{len(items)} documents loaded as {passages} passages")
        response = await _call(client, f"{api_url}/api/ask", {"question": QUESTION})
    answer = response.json()
    trace_id = _trace_id(response)
    found = hops.of_trace(trace_id)
    _print(answer, trace_id, found, console)
    if traces is not None:
        show(await _complete(traces, trace_id), console)
    if len(answer["citations"]) < _LEAST_CITATIONS:
        raise DemoFailedError(f"the answer has {len(answer['citations'])} citations, not two")
    if [hop.service for hop in found] != _PATH:
        raise DemoFailedError("the question did not go through api, chat and s3vector")


async def _call(client: httpx.AsyncClient, url: str, body: dict[str, Any]) -> httpx.Response:
    try:
        response = await client.post(url, json=body)
    except httpx.TransportError as error:
        raise DemoFailedError(f"{url} did not answer: {error!r}") from error
    if response.status_code != 200:
        raise DemoFailedError(f"{url} answered {response.status_code}: {response.text[:500]}")
    return response


async def _complete(traces: TraceStore, trace_id: str) -> list[Span]:
    """The trace's spans, once every service's have come; what has come when they do not."""
    ends = time.monotonic() + _SPANS_SECONDS
    while time.monotonic() < ends:
        spans = traces.trace(trace_id)
        if {span.service for span in spans} >= {"gateway", *_PATH}:
            return spans
        await asyncio.sleep(0.05)
    return traces.trace(trace_id)


def _trace_id(response: httpx.Response) -> str:
    header = response.headers["x-amzn-trace-id"]
    return next(
        part.removeprefix("Root=") for part in header.split(";") if part.startswith("Root=")
    )


def _print(answer: dict[str, Any], trace_id: str, found: list[Hop], console: Console) -> None:
    console.print(f"\n[bold]{escape(QUESTION)}[/bold]\n")
    console.print(escape(answer["answer"]))
    console.print("\n[bold]Citations[/bold]")
    for citation in answer["citations"]:
        title = escape(citation["title"] or citation["document_id"])
        console.print(
            f"  {escape(citation['passage_id'])}  {title}  (score {citation['score']:.2f})",
            highlight=False,
            soft_wrap=True,
        )
    console.print("\n[bold]Hops[/bold]")
    console.print("  " + " → ".join(f"gateway → {hop.service}" for hop in found))
    for hop in found:
        console.print(
            f"  gateway {hop.request_id} → {hop.service:<8} {hop.target_request_id or '-':<36} "
            f"{hop.method} {hop.path} {hop.status} {hop.duration_ms:6.0f} ms"
            f"  called by {hop.caller}",
            highlight=False,
            soft_wrap=True,
        )
    console.print(f"\ntrace {trace_id}", highlight=False)
