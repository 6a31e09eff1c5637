"""Which trace a request belongs to, and which headers are sent to the services that it calls."""

import pytest
from opentelemetry import baggage, trace
from opentelemetry.context import Context

from shared.telemetry.propagation import (
    MAX_BAGGAGE_CHARACTERS,
    all_headers,
    extract,
    root_trace_id,
    trace_headers,
)

_ROOT = "1-5759e988-bd862e3fe1be46a994272793"
_TRACE = 0x5759E988BD862E3FE1BE46A994272793
_PARENT = 0x53995C3F42CD8AD8
_TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def _span_context(context: Context) -> trace.SpanContext:
    return trace.get_current_span(context).get_span_context()


@pytest.mark.parametrize(
    ("fields", "sampled"),
    [(";Sampled=1", True), (";Sampled=0", False), ("", True), (";Sampled=?", True)],
)
def test_a_parent_is_continued_and_an_open_decision_is_to_sample(
    fields: str, sampled: bool
) -> None:
    header = f"Root={_ROOT};Parent=53995c3f42cd8ad8{fields}"
    context = _span_context(extract({"x-amzn-trace-id": header}))
    assert (context.trace_id, context.span_id, context.is_remote) == (_TRACE, _PARENT, True)
    assert context.trace_flags.sampled is sampled


def test_a_root_alone_names_the_trace_that_begins() -> None:
    context = extract({"x-amzn-trace-id": f"Root={_ROOT}"})
    assert not _span_context(context).is_valid
    assert root_trace_id(context) == _TRACE
    below_a_parent = extract({"x-amzn-trace-id": f"Root={_ROOT};Parent=53995c3f42cd8ad8"})
    assert root_trace_id(below_a_parent) == root_trace_id(extract({})) == 0


def test_a_root_that_is_not_sampled_hands_its_decision_on() -> None:
    context = extract({"x-amzn-trace-id": f"Root={_ROOT};Sampled=0"})
    headers: dict[str, str] = {}
    trace_headers.inject(headers, context)
    assert headers["X-Amzn-Trace-Id"].startswith(f"Root={_ROOT};")
    assert headers["X-Amzn-Trace-Id"].endswith(";Sampled=0")
    assert headers["traceparent"].endswith("-00")


def test_xray_wins_over_w3c_and_w3c_counts_alone() -> None:
    both = {
        "traceparent": _TRACEPARENT,
        "x-amzn-trace-id": f"Root={_ROOT};Parent=53995c3f42cd8ad8;Sampled=1",
    }
    assert _span_context(extract(both)).trace_id == _TRACE
    assert _span_context(extract({"traceparent": _TRACEPARENT})).trace_id == int("a" * 32, 16)
    malformed = {"traceparent": _TRACEPARENT, "x-amzn-trace-id": "Root=1-2-3"}
    assert _span_context(extract(malformed)).trace_id == int("a" * 32, 16)


@pytest.mark.parametrize("xray", [f"Root={_ROOT}", f"Root={_ROOT};Parent=53995c3f42cd8ad8", ""])
def test_baggage_comes_in_within_its_bound(xray: str) -> None:
    fits = "k=" + "v" * (MAX_BAGGAGE_CHARACTERS - 2)
    context = extract({"x-amzn-trace-id": xray, "baggage": fits})
    assert baggage.get_baggage("k", context) == fits[2:]
    too_long = extract({"x-amzn-trace-id": xray, "baggage": f"{fits}v"})
    assert baggage.get_all(too_long) == {}


def test_baggage_goes_to_our_own_services_only() -> None:
    context = extract({"traceparent": _TRACEPARENT, "baggage": "tenant=7"})
    inside: dict[str, str] = {}
    all_headers.inject(inside, context)
    outside: dict[str, str] = {}
    trace_headers.inject(outside, context)
    assert inside["baggage"] == "tenant=7"
    assert {name.lower() for name in outside} == {"traceparent", "x-amzn-trace-id"}
