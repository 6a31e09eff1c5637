"""What an invocation records is what the SDK would, and is sent at its end: once, and in order."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
)

from shared.telemetry.propagation import extract
from shared.telemetry.span_recorder import MAX_ATTRIBUTES, RecordedSpan, SpanRecorder, new_trace_id

_RESOURCE = {"service.name": "api"}
_REMOTE = SpanContext(7, 9, is_remote=True, trace_flags=TraceFlags(1))
_UNSAMPLED = SpanContext(7, 9, is_remote=True, trace_flags=TraceFlags(0))


class _Exporter:
    def __init__(self) -> None:
        self.batches: list[list[RecordedSpan]] = []
        self.is_paused = False
        self.is_sent = True
        self.is_shut_down = False

    def export(self, spans: Sequence[RecordedSpan]) -> bool:
        self.batches.append(list(spans))
        return self.is_sent

    def shutdown(self) -> None:
        self.is_shut_down = True

    def names(self) -> list[list[str]]:
        return [[span.name for span in batch] for batch in self.batches]


@pytest.fixture
def exporter() -> _Exporter:
    return _Exporter()


def _make(recorder: SpanRecorder, *names: str) -> None:
    for name in names:
        recorder.get_tracer("t").start_span(name).end()


def test_a_flush_sends_everything_once(exporter: _Exporter) -> None:
    recorder = SpanRecorder(_RESOURCE, exporter)
    _make(recorder, "a", "b")
    assert exporter.batches == []
    assert recorder.force_flush()
    assert recorder.force_flush()
    assert exporter.names() == [["a", "b"]]


def test_what_cannot_be_sent_is_not_sent_again(exporter: _Exporter) -> None:
    # It may have arrived all the same, and a span that comes twice is worse than one that is lost.
    exporter.is_sent = False
    recorder = SpanRecorder(_RESOURCE, exporter)
    _make(recorder, "a")
    assert not recorder.force_flush()
    exporter.is_sent = True
    assert recorder.force_flush()
    assert exporter.names() == [["a"]]


def test_while_the_exporter_pauses_spans_wait_and_the_oldest_go(exporter: _Exporter) -> None:
    recorder = SpanRecorder(_RESOURCE, exporter, capacity=3)
    exporter.is_paused = True
    for number in range(1000):
        _make(recorder, str(number))
        recorder.force_flush()
    assert exporter.batches == []
    exporter.is_paused = False
    recorder.force_flush()
    assert exporter.names() == [["997", "998", "999"]]


def test_what_is_not_sampled_is_not_kept_and_its_decision_travels(exporter: _Exporter) -> None:
    recorder = SpanRecorder(_RESOURCE, exporter)
    parent = trace.set_span_in_context(NonRecordingSpan(_UNSAMPLED))
    span = recorder.get_tracer("t").start_span("a", parent)
    span.end()
    recorder.force_flush()
    assert exporter.batches == []
    told = span.get_span_context()
    assert (told.trace_id, told.trace_flags, told.is_remote) == (7, 0, False)
    assert told.span_id not in {0, 9}


def test_a_shutdown_sends_the_rest(exporter: _Exporter) -> None:
    recorder = SpanRecorder(_RESOURCE, exporter)
    _make(recorder, "a")
    recorder.shutdown()
    assert (exporter.names(), exporter.is_shut_down) == ([["a"]], True)


def test_without_an_exporter_nothing_is_kept() -> None:
    recorder = SpanRecorder(_RESOURCE, None)
    _make(recorder, "a")
    assert recorder.force_flush()
    recorder.shutdown()


def test_of_too_many_the_first_are_kept_and_the_rest_counted(exporter: _Exporter) -> None:
    # As the specification says; the SDK for Python drops the oldest attributes instead.
    recorder = SpanRecorder(_RESOURCE, exporter)
    many = {f"key{number}": number for number in range(MAX_ATTRIBUTES + 7)}
    span = recorder.get_tracer("t").start_span("a", attributes=many)
    span.set_attribute("key5", "replaced")
    for number in range(MAX_ATTRIBUTES + 2):
        span.add_event(str(number), many)
        span.add_link(_REMOTE)
    span.end()
    recorder.force_flush()
    [[kept]] = exporter.batches
    assert (len(kept.attributes), kept.dropped_attributes) == (MAX_ATTRIBUTES, 7)
    assert kept.attributes["key5"] == "replaced"
    assert (len(kept.events), kept.dropped_events) == (MAX_ATTRIBUTES, 2)
    assert (len(kept.links), kept.dropped_links) == (MAX_ATTRIBUTES, 2)
    assert kept.events[-1].name == str(MAX_ATTRIBUTES - 1)
    assert kept.events[0].dropped_attributes == 7


def test_ids_are_x_rays() -> None:
    ids = {new_trace_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(0 <= time.time() - (one >> 96) < 60 for one in ids)


def test_a_trace_that_a_header_began_is_continued(exporter: _Exporter) -> None:
    recorder = SpanRecorder(_RESOURCE, exporter)
    context = extract({"x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793"})
    span = recorder.get_tracer("t").start_span("a", context)
    assert f"{span.get_span_context().trace_id:032x}" == "5759e988bd862e3fe1be46a994272793"
    extract({})  # as the next request does
    other = recorder.get_tracer("t").start_span("b", Context())
    assert other.get_span_context().trace_id != span.get_span_context().trace_id


# As the SDK


class OwnError(Exception):
    """Whose type has a module to tell."""


class _Unprintable:
    """A value that is told by its class's text."""


def _families(tracer: Tracer) -> None:
    with tracer.start_as_current_span("outer", kind=SpanKind.SERVER):
        with tracer.start_as_current_span("inner", attributes={"a": 1}):
            tracer.start_span("leaf", kind=SpanKind.CLIENT).end()
        tracer.start_span("sibling").end()
    tracer.start_span("of another process", trace.set_span_in_context(NonRecordingSpan(_REMOTE)),
                      links=[Link(_REMOTE, {"why": "retry"})]).end()  # fmt: skip
    tracer.start_span("a root of its own", Context()).end()


def _attributes(tracer: Tracer) -> None:
    numbers = [1, 2]
    span = tracer.start_span("values", attributes={"text": "t", "numbers": numbers, "yes": True})
    numbers.append(3)
    span.set_attributes({"text": "replaced", "float": 1.5, "bytes": b"b"})
    inner: Any = {"a": [1], "b": {"c": "d"}}
    span.set_attribute("mapping", inner)
    inner["a"] = []
    others: tuple[Any, ...] = (UUID(int=7), Decimal("1.5"), date(2026, 1, 2), _Unprintable)
    for value in others:
        span.set_attribute(f"other {value!s}", value)
    for key in (7, "", None):
        span.set_attribute(key, "a key of another kind")  # type: ignore[arg-type]
    span.update_name("renamed")
    span.end()
    span.set_attribute("late", 1)
    span.update_name("late")
    span.add_event("late")
    span.set_status(StatusCode.ERROR)
    span.end()


def _many(tracer: Tracer) -> None:
    many = {f"key{number}": number for number in range(MAX_ATTRIBUTES)}
    span = tracer.start_span("many", attributes=many)
    span.set_attribute("key5", "replaced")
    span.add_event("many", many)
    span.end()


def _statuses(tracer: Tracer) -> None:
    calls: tuple[tuple[Status | StatusCode, ...], ...] = (
        (Status(StatusCode.ERROR, "why"),),
        (StatusCode.OK, StatusCode.ERROR),
        (StatusCode.ERROR, StatusCode.OK),
        (StatusCode.ERROR, StatusCode.UNSET),
    )
    for number, statuses in enumerate(calls):
        span = tracer.start_span(f"status {number}")
        for status in statuses:
            span.set_status(status)
        span.end()
    span = tracer.start_span("described")
    span.set_status(StatusCode.ERROR, "why")
    span.end()


def _errors(tracer: Tracer) -> None:
    def fail() -> None:
        raise ValueError("no")

    choices: tuple[dict[str, Any], ...] = (
        {},
        {"record_exception": False},
        {"set_status_on_exception": False},
    )
    for keywords in choices:
        with pytest.raises(ValueError, match="no"), tracer.start_as_current_span("c", **keywords):
            fail()
        with pytest.raises(ValueError, match="no"), tracer.start_span("p", **keywords):
            fail()
    with pytest.raises(OwnError), tracer.start_as_current_span("own"):
        raise OwnError("of a module")
    with pytest.raises(KeyboardInterrupt), tracer.start_span("interrupted"):
        raise KeyboardInterrupt
    span = tracer.start_span("told")
    span.add_link(trace.INVALID_SPAN_CONTEXT)
    span.add_link(trace.INVALID_SPAN_CONTEXT, {"why": "it has attributes"})
    span.record_exception(KeyError("x"), {"more": 1}, timestamp=5)
    span.add_event("plain", timestamp=6)
    span.add_link(_REMOTE, {"a": "b"})
    span.end()


def _decorated(tracer: Tracer) -> None:
    @tracer.start_as_current_span("sync")
    def plain() -> int:
        return 1

    @tracer.start_as_current_span("async")
    async def later() -> int:
        with tracer.start_as_current_span("below"):
            return 2

    assert (plain(), asyncio.run(later())) == (1, 2)


def _described(spans: Iterable[Any]) -> list[dict[str, Any]]:
    """What a span says, its ids replaced by who has them."""
    known = list(spans)
    names = {span.get_span_context().span_id: span.name for span in known}
    return [
        {
            "name": span.name,
            "kind": span.kind,
            "parent": span.parent and names.get(span.parent.span_id, span.parent.span_id),
            "remote": bool(span.parent and span.parent.is_remote),
            "sampled": span.get_span_context().trace_flags & 1,
            "resource": dict(span.resource.attributes),
            "scope": (span.instrumentation_scope.name, span.instrumentation_scope.version),
            "attributes": dict(span.attributes),
            "events": [
                (
                    event.name,
                    # The frames below this file's are each implementation's own.
                    {
                        key: value
                        for key, value in event.attributes.items()
                        if key not in {"exception.stacktrace", "exception.escaped"}
                    },
                )
                for event in span.events
            ],
            "links": [(link.context, dict(link.attributes)) for link in span.links],
            "status": (span.status.status_code, span.status.description),
            "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
            "lasts": span.end_time >= span.start_time > 0,
        }
        for span in known
    ]


@pytest.mark.parametrize("use", [_families, _attributes, _many, _statuses, _errors, _decorated])
def test_what_is_recorded_is_what_the_sdk_records(use: Callable[[Tracer], None]) -> None:
    memory = InMemorySpanExporter()
    sdk = TracerProvider(shutdown_on_exit=False)
    sdk.add_span_processor(SimpleSpanProcessor(memory))
    sdk._resource = type(sdk.resource)(_RESOURCE)
    use(sdk.get_tracer("library", "1.2"))
    exporter = _Exporter()
    recorder = SpanRecorder(_RESOURCE, exporter)
    use(recorder.get_tracer("library", "1.2"))
    recorder.force_flush()
    [recorded] = exporter.batches
    expected = _described(memory.get_finished_spans())
    assert _described(recorded) == expected
    assert expected
