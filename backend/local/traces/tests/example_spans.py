"""Spans for tests."""

from local.traces.spans import Span

TRACE = "5759e988bd862e3fe1be46a994272793"


def span(number: int = 1, **fields: object) -> Span:
    """A span with the id `number` and default values for all other fields."""
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
