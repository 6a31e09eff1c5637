"""The provider exports when an invocation ends, makes X-Ray ids, and obeys the SDK's variables."""

import threading
import time
from collections.abc import Sequence

import pytest
from opentelemetry import context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from shared.conftest import Lines
from shared.telemetry import provider as provider_module
from shared.telemetry.propagation import extract
from shared.telemetry.provider import (
    BACKGROUND_EXPORT_SECONDS,
    LAMBDA_EXPORT_SECONDS,
    HoldingSpanProcessor,
    make_provider,
)

_TRACE = "5759e988bd862e3fe1be46a994272793"
_ROOT = f"Root=1-{_TRACE[:8]}-{_TRACE[8:]}"


class Kept(SpanExporter):
    """An exporter that keeps the spans, and their names batch by batch."""

    def __init__(self) -> None:
        self.is_paused = self.is_closed = False
        self.batches: list[list[str]] = []
        self.spans: list[ReadableSpan] = []

    def shutdown(self) -> None:
        self.is_closed = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.batches.append([span.name for span in spans])
        self.spans += spans
        return SpanExportResult.SUCCESS


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture(autouse=True)
def _function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "fin-advisor-dev-api")


def _make(kept: Kept) -> TracerProvider:
    return make_provider("api", "dev", "http://127.0.0.1:9", kept)


def _end_span(provider: TracerProvider, name: str = "span", headers: str = "") -> None:
    around = extract({"x-amzn-trace-id": headers})
    provider.get_tracer("t").start_span(name, around).end()


def test_spans_wait_for_the_flush_in_their_order(kept: Kept) -> None:
    provider = _make(kept)
    for name in ("first", "second"):
        _end_span(provider, name)
    assert kept.batches == []
    provider.force_flush()
    provider.force_flush()
    assert kept.batches == [["first", "second"]]


def test_while_the_exporter_pauses_spans_wait(kept: Kept) -> None:
    provider = _make(kept)
    kept.is_paused = True
    _end_span(provider, "during")
    assert not provider.force_flush()
    kept.is_paused = False
    _end_span(provider, "after")
    provider.shutdown()
    assert (kept.batches, kept.is_closed) == ([["during", "after"]], True)


def test_beyond_the_capacity_the_oldest_are_dropped_counted_and_logged(
    kept: Kept, lines: Lines
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(HoldingSpanProcessor(kept, capacity=3))
    for number in range(5):
        _end_span(provider, str(number))
    provider.force_flush()
    _end_span(provider)
    provider.force_flush()
    assert kept.batches == [["2", "3", "4"], ["span"]]
    [line] = lines.of("tracing_spans_dropped")
    assert (line["level"], line["spans_lost"]) == ("warning", 2)


def test_a_span_that_ends_in_another_thread_during_a_flush_is_not_lost(kept: Kept) -> None:
    provider, threads = _make(kept), 4
    barrier = threading.Barrier(threads + 1)

    def work() -> None:
        barrier.wait()
        for _ in range(400):
            _end_span(provider)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    barrier.wait()
    while any(worker.is_alive() for worker in workers):
        provider.force_flush()
    provider.force_flush()
    assert len(kept.spans) == threads * 400


def test_trace_ids_are_those_that_xray_accepts(kept: Kept) -> None:
    provider, before = _make(kept), int(time.time())
    for _ in range(2):
        _end_span(provider)
    token = context.attach(extract({"x-amzn-trace-id": _ROOT}))
    provider.get_tracer("t").start_span("below a root").end()
    context.detach(token)
    provider.force_flush()
    first, second, rooted = (span.get_span_context().trace_id for span in kept.spans)  # type: ignore[union-attr]
    assert before <= first >> 96 <= time.time()
    assert first != second
    assert f"{rooted:032x}" == _TRACE


@pytest.mark.parametrize(
    ("variables", "recorded"),
    [
        ({}, ["root", "sampled"]),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, ["root", "sampled", "unsampled"]),
        (
            {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.0"},
            ["sampled"],
        ),
        ({"OTEL_SDK_DISABLED": "true"}, []),
    ],
)
def test_the_sampler_comes_from_its_variables_and_the_sdk_can_be_disabled(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], recorded: list[str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    provider = _make(kept)
    for name, headers in (
        ("root", ""),
        ("sampled", f"{_ROOT};Parent=53995c3f42cd8ad8;Sampled=1"),
        ("unsampled", f"{_ROOT};Parent=53995c3f42cd8ad8;Sampled=0"),
    ):
        _end_span(provider, name, headers)
    provider.force_flush()
    assert [span.name for span in kept.spans] == recorded


def test_the_limits_of_a_span_come_from_their_variables(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2")
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3")
    provider = _make(kept)
    provider.get_tracer("t").start_span("n", attributes=dict.fromkeys("abc", "text")).end()
    provider.force_flush()
    [ended] = kept.spans
    assert list((ended.attributes or {}).values()) == ["tex", "tex"]


def test_an_export_that_a_request_waits_for_gets_less_time(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []
    monkeypatch.setattr(
        provider_module, "make_exporter", lambda _url, seconds: limits.append(seconds)
    )
    make_provider("api", "dev", "http://127.0.0.1:9")
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    make_provider("api", "dev", "http://127.0.0.1:9")
    assert limits == [LAMBDA_EXPORT_SECONDS, BACKGROUND_EXPORT_SECONDS] == [0.25, 5]
