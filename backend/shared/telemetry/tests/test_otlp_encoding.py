"""What is encoded here is what OpenTelemetry's own classes encode and read."""

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from shared.telemetry import otlp_encoding
from shared.telemetry.otlp_encoding import encode
from shared.telemetry.span_recorder import SpanRecorder


@pytest.fixture
def kept() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(kept: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(resource=Resource({"service.name": "api", "service.ports": (1, 2)}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    return provider


def _read(spans: Any) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.ParseFromString(encode(spans))
    return request


def test_a_span_with_everything_is_encoded_as_opentelemetry_does(
    provider: TracerProvider, kept: InMemorySpanExporter
) -> None:
    remote = SpanContext(
        0x66AABBCC112233445566778899AABBCC,
        0x1122334455667788,
        is_remote=True,
        trace_flags=TraceFlags(1),
        trace_state=TraceState([("vendor", "value"), ("other", "1")]),
    )
    parent = trace.set_span_in_context(trace.NonRecordingSpan(remote))
    # (OpenTelemetry's encoder leaves the trace state of a link out; the protocol has it.)
    elsewhere = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    tracer = provider.get_tracer("scope", "1.2", attributes={"scope.attribute": True})
    with tracer.start_as_current_span(
        "GET /ä ",
        context=parent,
        kind=SpanKind.CLIENT,
        links=[Link(elsewhere, {"why": "retried"})],
        attributes={
            "text": "ü" * 300,
            "empty": "",
            "yes": True,
            "no": False,
            "zero": 0,
            "large": 2**62,
            "negative": -5,
            "ratio": 0.25,
            "list": ["a", "b"],
            "numbers": [1, 2, 300],
        },
    ) as span:
        span.add_event("first", {"key": "value"})
        span.record_exception(ValueError("wrong"))
        span.set_status(Status(StatusCode.ERROR, "it failed"))
        with tracer.start_as_current_span("child"):
            pass
    with provider.get_tracer("another scope").start_as_current_span("root", kind=SpanKind.SERVER):
        pass
    spans = kept.get_finished_spans()
    assert _read(spans) == encode_spans(spans)


def test_nothing_is_an_empty_request() -> None:
    assert encode([]) == b""


def test_text_that_is_no_unicode_does_not_fail(
    provider: TracerProvider, kept: InMemorySpanExporter
) -> None:
    with provider.get_tracer("t").start_as_current_span("n", attributes={"text": "a\ud800"}):
        pass
    [scope] = _read(kept.get_finished_spans()).resource_spans[0].scope_spans
    assert scope.spans[0].attributes[0].value.string_value == "a?"


def test_what_was_dropped_is_told(provider: TracerProvider, kept: InMemorySpanExporter) -> None:
    with provider.get_tracer("t").start_as_current_span("n") as span:
        for number in range(200):
            span.set_attribute(f"key-{number}", number)
            span.add_event(f"event-{number}")
    spans = kept.get_finished_spans()
    assert _read(spans) == encode_spans(spans)
    assert _read(spans).resource_spans[0].scope_spans[0].spans[0].dropped_attributes_count == 72


def test_a_span_without_a_scope_is_encoded(
    provider: TracerProvider, kept: InMemorySpanExporter
) -> None:
    with provider.get_tracer("t").start_as_current_span("n"):
        pass
    [span] = kept.get_finished_spans()
    bare = ReadableSpan(
        name="bare", context=span.context, resource=span.resource, start_time=1, end_time=2
    )
    assert _read([bare]) == encode_spans([bare])


def test_equal_values_of_other_types_are_not_taken_for_each_other(
    provider: TracerProvider, kept: InMemorySpanExporter
) -> None:
    for value in (1, True, 1.0, "1", True, 0, False, 0.0, 0, 200, 200.0):
        with provider.get_tracer("t").start_as_current_span("n", attributes={"key": value}):
            pass
    for span in kept.get_finished_spans():
        assert _read([span]) == encode_spans([span])


def test_mappings_among_attributes_are_encoded(kept: InMemorySpanExporter) -> None:
    recorder = SpanRecorder({"service.name": "api"}, kept)
    attributes: dict[str, Any] = {"before": "a", "mapping": {"inner": [{"deep": 1}]}, "after": 2}
    with recorder.get_tracer("t").start_as_current_span("n", attributes=attributes):
        pass
    recorder.force_flush()
    [scope] = _read(kept.get_finished_spans()).resource_spans[0].scope_spans
    before, mapping, after = scope.spans[0].attributes
    assert (before.key, before.value.string_value) == ("before", "a")
    assert (after.key, after.value.int_value) == ("after", 2)
    [inner] = mapping.value.kvlist_value.values
    [deep] = inner.value.array_value.values[0].kvlist_value.values
    assert (mapping.key, inner.key, deep.key, deep.value.int_value) == (
        "mapping",
        "inner",
        "deep",
        1,
    )


def test_what_is_remembered_of_attributes_is_bounded_and_stays_right(
    provider: TracerProvider, kept: InMemorySpanExporter
) -> None:
    before = _remembered()
    for number in range(3_000):
        attributes = {"client.address": f"client {number}", "user_agent.original": f"{number}" * 20}
        with provider.get_tracer("t").start_as_current_span("n", attributes=attributes):
            pass
    spans = kept.get_finished_spans()
    for span in (*spans, *spans[:10]):
        assert _read([span]) == encode_spans([span])
    assert _remembered() - before <= 1024


def _remembered() -> int:
    return sum(len(pairs) for pairs in otlp_encoding._pairs.values())
