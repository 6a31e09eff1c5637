"""Spans for tests, and what is true of every good trace."""

from typing import Any

from local.traces.spans import Span

TRACE = "5759e988bd862e3fe1be46a994272793"


def span(number: int = 1, **fields: object) -> Span:
    values: dict[str, object] = {
        "trace_id": TRACE,
        "span_id": f"{number:016x}",
        "parent_id": "",
        "service": "api",
        "name": f"span {number}",
        "kind": "SERVER",
        "start_ns": number * 1_000_000,
        "end_ns": number * 1_000_000 + 500_000,
    }
    return Span(**(values | fields))  # type: ignore[arg-type]


def faults(spans: list[dict[str, Any]]) -> list[str]:
    """What is wrong with a trace: spans without their parent, twice, of another trace, or more than
    one request span for one request.
    """
    known = {one["span_id"] for one in spans}
    found = [] if len(known) == len(spans) else ["a span is there twice"]
    found += [f"two traces: {ids}" for ids in [{one["trace_id"] for one in spans}] if len(ids) > 1]
    roots = [one for one in spans if not one["parent_id"]]
    found += [] if len(roots) == 1 else [f"{len(roots)} roots"]
    found += [
        f"{one['service']} {one['name']}: its parent is missing"
        for one in spans
        if one["parent_id"] and one["parent_id"] not in known
    ]
    parents = [one["parent_id"] for one in spans if "http.route" in one["attributes"]]
    found += ["two request spans for one request"] if len(set(parents)) < len(parents) else []
    return found
