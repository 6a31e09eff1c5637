"""The demonstration: load the sample documents, ask a question, print the answer and its trace."""

import asyncio
import textwrap
import time
from collections.abc import Mapping
from typing import Any

import httpx
from rich.console import Console
from rich.text import Text

from local.demo.documents import QUESTION, batches, documents
from local.demo.waterfall import show
from local.gateway.hops import Hop, Hops
from local.net.sockets import NO_CERTIFICATES
from local.traces.spans import Span
from local.traces.store import TraceStore

_LEAST_CITATIONS = 2
_SERVICES = ["api", "chat", "s3vector"]
_SPANS_SECONDS = 10.0


class DemoFailedError(Exception):
    """The estate did not do what the demonstration shows. The message says what was wrong."""


async def demonstrate(
    variables: Mapping[str, str], hops: Hops, console: Console, traces: TraceStore | None = None
) -> None:
    """Load the documents, ask through the gateway and print; print the trace if `traces` is given.

    `variables` are those of the env file: documents are stored with the key for ingestion, the
    question is asked with a client's. Raises DemoFailedError if an answer is not as expected.
    """
    api_url = variables["API_GATEWAY_URL"]
    store, ask = variables["INGEST_API_KEY"], variables["API_KEY"]
    async with httpx.AsyncClient(timeout=35.0, trust_env=False, verify=NO_CERTIFICATES) as client:
        items = documents()
        passages = 0
        for batch in batches(items):
            loaded = await _call(client, f"{api_url}/api/documents", store, {"documents": batch})
            passages += loaded.json()["passages"]
        console.print(f"\nLoaded {len(items)} sample documents as {passages} passages.")
        response = await _call(client, f"{api_url}/api/ask", ask, {"question": QUESTION})
    answer = response.json()
    trace_id = _trace_id(response)
    found = hops.of_trace(trace_id)
    _print_answer(answer, console)
    _print_requests(found, console)
    console.print()
    if traces is not None:
        show(await _wait_for_trace(traces, trace_id), console)
    else:
        console.print(f"[bold]Trace {trace_id}[/bold]: tracing is off")
    if len(answer["citations"]) < _LEAST_CITATIONS:
        raise DemoFailedError(f"the answer has {len(answer['citations'])} citations, not two")
    if [hop.service for hop in found] != _SERVICES:
        raise DemoFailedError("the question did not go through api, chat and s3vector")


async def _call(
    client: httpx.AsyncClient, url: str, key: str, body: dict[str, Any]
) -> httpx.Response:
    try:
        response = await client.post(url, json=body, headers={"x-api-key": key})
    except httpx.TransportError as error:
        raise DemoFailedError(f"{url} did not answer: {error!r}") from error
    if response.status_code != 200:
        raise DemoFailedError(f"{url} answered {response.status_code}: {response.text[:500]}")
    return response


async def _wait_for_trace(traces: TraceStore, trace_id: str) -> list[Span]:
    """The spans of the trace, once every service has sent some or the time is up."""
    give_up = time.monotonic() + _SPANS_SECONDS
    while time.monotonic() < give_up:
        spans = traces.trace(trace_id)
        if {span.service for span in spans} >= {"gateway", *_SERVICES}:
            return spans
        await asyncio.sleep(0.05)
    return traces.trace(trace_id)


def _trace_id(response: httpx.Response) -> str:
    header = response.headers["x-amzn-trace-id"]
    return next(
        part.removeprefix("Root=") for part in header.split(";") if part.startswith("Root=")
    )


def _print_answer(answer: dict[str, Any], console: Console) -> None:
    _print_text("Question", QUESTION, console)
    _print_text(f"Answer ({answer['status']})", answer["answer"], console)
    console.print("\n[bold]Citations[/bold]")
    for citation in answer["citations"]:
        as_of = f", as of {citation['as_of']}" if citation["as_of"] else ""
        _print_row(console, f"[{citation['marker']}] {citation['passage_id']}{as_of}")
        quote = " ".join(citation["quote"].split())
        for line in textwrap.wrap(f'"{quote}"', console.width - 6, break_on_hyphens=False):
            _print_row(console, f"    {line}")
    for removed in answer["removed"]:
        _print_row(console, f"Left out ({removed['reason']}): {removed['sentence']}")
    console.print()
    for line in textwrap.wrap(answer["disclosure"], console.width - 2):
        _print_row(console, line)


def _print_text(heading: str, text: str, console: Console) -> None:
    console.print(f"\n[bold]{heading}[/bold]")
    for paragraph in filter(None, text.split("\n")):
        for line in textwrap.wrap(paragraph, console.width - 2, break_on_hyphens=False):
            _print_row(console, line)


def _print_requests(hops: list[Hop], console: Console) -> None:
    console.print("\n[bold]Requests[/bold]")
    path = " -> ".join(f"gateway -> {hop.service}" for hop in hops)
    _print_row(console, f"client -> {path}")
    for hop in hops:
        request = f"{hop.method} {hop.path}"
        _print_row(
            console,
            f"{hop.duration_ms:7.0f} ms  {hop.status}  {request:<28} for {hop.caller}",
        )


def _print_row(console: Console, text: str) -> None:
    console.print(Text(f"  {text}"), no_wrap=True, overflow="ellipsis")
