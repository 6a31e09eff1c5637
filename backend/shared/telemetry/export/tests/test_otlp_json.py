"""Our JSON and that of OpenTelemetry's own encoder mean the same."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from shared.telemetry.export.otlp_json import encode


@pytest.fixture
def kept() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(kept: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(resource=Resource({"service.name": "api", "service.ports": (1, 2)}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    return provider


def _ours(spans: Sequence[ReadableSpan]) -> Any:
    return _without_defaults(json.loads(encode(spans)))


def _upstreams(spans: Sequence[ReadableSpan]) -> Any:
    return _without_defaults(encode_spans(spans).to_dict())


def _without_defaults(value: Any) -> Any:
    """Remove empty and zero fields, which mean the same as missing ones, except in attributes."""
    if isinstance(value, list):
        return [_without_defaults(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        name: item if name == "value" else _without_defaults(item) for name, item in value.items()
    }
    return {name: item for name, item in kept.items() if item or name == "value"}


def _attributes(provider: TracerProvider, kept: InMemorySpanExporter, **attributes: Any) -> Any:
    with provider.get_tracer("t").start_as_current_span("n", attributes=attributes):
        pass
    [group] = json.loads(encode(kept.get_finished_spans()))["resourceSpans"]
    [span] = group["scopeSpans"][0]["spans"]
    return {pair["key"]: pair["value"] for pair in span["attributes"]}


def test_spans_with_everything(provider: TracerProvider, kept: InMemorySpanExporter) -> None:
    remote = SpanContext(
        0x66AABBCC112233445566778899AABBCC,
        0x1122334455667788,
        is_remote=True,
        trace_flags=TraceFlags(1),
        trace_state=TraceState([("vendor", "value"), ("other", "1")]),
    )
    parent = trace.set_span_in_context(trace.NonRecordingSpan(remote))
    # Upstream's encoder omits the trace state of a link, which the protocol has.
    elsewhere = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    tracer = provider.get_tracer("scope", "1.2", attributes={"scope.attribute": True})
    attributes: Mapping[str, Any] = {
        "text": "ü" * 300, "empty": "", "yes": True, "no": False, "zero": 0, "large": 2**62,
        "negative": -5, "ratio": 0.25, "list": ["a", "b"], "numbers": [1, 2, 300],
        "bytes": b"\x00\xff", "mapping": {"inner": [{"deep": 1}]}, "none": [None, "a"],
    }  # fmt: skip
    with tracer.start_as_current_span(
        "GET /ä ",
        context=parent,
        kind=SpanKind.CLIENT,
        links=[Link(elsewhere, {"why": "retried"})],
        attributes=attributes,
    ) as span:
        span.add_event("first", {"key": "value"})
        span.record_exception(ValueError("wrong"))
        span.set_status(Status(StatusCode.ERROR, "it failed"))
        with tracer.start_as_current_span("child"):
            pass
    with provider.get_tracer("another scope").start_as_current_span("root", kind=SpanKind.SERVER):
        pass
    spans = kept.get_finished_spans()
    assert _ours(spans) == _upstreams(spans)


def test_the_spans_of_two_providers_keep_their_resources(
    provider: TracerProvider, kept: InMemorySpanExporter
) -> None:
    other = TracerProvider(resource=Resource({"service.name": "chat"}))
    other.add_span_processor(SimpleSpanProcessor(kept))
    for one in (provider, other, provider):
        one.get_tracer("t").start_span("n").end()
    assert _ours(kept.get_finished_spans()) == _upstreams(kept.get_finished_spans())


def test_dropped_attributes_and_events_are_counted(
    provider: TracerProvider, kept: InMemorySpanExporter
) -> None:
    with provider.get_tracer("t").start_as_current_span("n") as span:
        for number in range(200):
            span.set_attribute(f"key-{number}", number)
            span.add_event(f"event-{number}")
    spans = kept.get_finished_spans()
    assert _ours(spans) == _upstreams(spans)
    assert b'"droppedAttributesCount":72' in encode(spans)


def test_what_json_or_the_protocol_lacks_becomes_other_text(
    provider: TracerProvider, kept: InMemorySpanExporter
) -> None:
    numbers = {"nan": math.nan, "infinite": -math.inf, "large": 2**63, "largest": 2**63 - 1}
    assert _attributes(provider, kept, **numbers, surrogate="a\ud800", fine="ü") == {
        "nan": {"stringValue": "nan"},
        "infinite": {"stringValue": "-inf"},
        "large": {"stringValue": str(2**63)},
        "largest": {"intValue": str(2**63 - 1)},
        "surrogate": {"stringValue": "a?"},
        "fine": {"stringValue": "ü"},
    }
