"""A request's trace: a waterfall from the local estate's console, or where it is in AWS."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from client.cli.outcome import CommandError, Exit

_TRACE_ID: Final = re.compile(r"(?:1-)?([0-9a-f]{8})-?([0-9a-f]{24})")
_REGION: Final = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com$")
_BAR: Final = 32


class Span(BaseModel):
    """One span of a trace."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    span_id: str
    parent_id: str
    service: str
    name: str
    start_ns: int
    end_ns: int
    status: str = "UNSET"


_SPANS: Final = TypeAdapter(list[Span])


def xray_id(trace_id: str) -> str:
    """Return a trace id in the form of X-Ray.

    Raises:
        CommandError: It is no trace id.
    """
    match = _TRACE_ID.fullmatch(trace_id.strip().lower())
    if match is None:
        raise CommandError(
            "A trace id has 32 hexadecimal digits, or X-Ray's form 1-xxxxxxxx-…; `ask` prints it.",
            Exit.USAGE,
        )
    return f"1-{match[1]}-{match[2]}"


def xray_url(trace_id: str, environment: Mapping[str, str]) -> str:
    """Return the page of a trace in the AWS console."""
    host = urlsplit(environment.get("API_GATEWAY_URL", "")).hostname or ""
    found = _REGION.search(host)
    region = found[1] if found else environment.get("AWS_REGION", "us-east-1")
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#xray:traces/{trace_id}"
    )


def read_spans(console_url: str, trace_id: str) -> list[Span]:
    """Return the spans that the console of the local estate has of a trace.

    Raises:
        CommandError: The console does not answer, or has no such trace.
    """
    try:
        answer = httpx.get(f"{console_url.rstrip('/')}/traces/{trace_id}", timeout=10.0)
    except httpx.HTTPError as error:
        raise CommandError(
            f"The console at CONSOLE_URL cannot be reached ({error}).", Exit.UNAVAILABLE
        ) from None
    if answer.status_code == 404:
        raise CommandError(
            f"The console has no trace {trace_id}. Spans arrive when their request has ended.",
            Exit.NOT_FOUND,
        )
    try:
        return _SPANS.validate_python(answer.raise_for_status().json()["spans"])
    except (httpx.HTTPStatusError, ValidationError, ValueError, KeyError, TypeError):
        raise CommandError(
            f"The console at CONSOLE_URL answered {answer.status_code} and no trace.", Exit.NOT_DONE
        ) from None


def in_order(spans: list[Span]) -> Iterator[tuple[int, Span]]:
    """Yield each span with its depth, parents first."""
    known = {span.span_id for span in spans}
    children: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda one: one.start_ns, reverse=True):
        children.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)
    stack = [(0, span) for span in children.get("", [])]
    while stack:
        depth, span = stack.pop()
        yield depth, span
        stack += [(depth + 1, child) for child in children.get(span.span_id, [])]


def print_waterfall(trace_id: str, spans: list[Span], console: Console) -> None:
    """Print one line a span, with a bar from its start to its end."""
    start = min(span.start_ns for span in spans)
    length = max(max(span.end_ns for span in spans) - start, 1)
    table = Table("service", "span", Column("ms", justify="right"), "", title=f"Trace {trace_id}")
    for depth, span in in_order(spans):
        first = min((span.start_ns - start) * _BAR // length, _BAR - 1)
        width = max(1, round((span.end_ns - span.start_ns) * _BAR / length))
        bar = " " * first + "=" * min(width, _BAR - first)
        style = "red" if span.status == "ERROR" else ""
        milliseconds = f"{(span.end_ns - span.start_ns) / 1e6:,.1f}"
        name = Text(" " * depth + span.name, style)
        table.add_row(Text(span.service), name, milliseconds, Text(bar, style))
    console.print(table)


def as_json(trace_id: str, spans: list[Span]) -> dict[str, Any]:
    """Return a trace for `--json`."""
    return {"trace_id": trace_id, "spans": [span.model_dump() for _, span in in_order(spans)]}
