"""What an invocation collected is sent at its end: once, in order, and never without a bound."""

from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from shared.span_buffer import SpanBuffer


class _Exporter(SpanExporter):
    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.is_paused = False
        self.result = SpanExportResult.SUCCESS
        self.is_shut_down = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.batches.append([span.name for span in spans])
        return self.result

    def shutdown(self) -> None:
        self.is_shut_down = True


@pytest.fixture
def exporter() -> _Exporter:
    return _Exporter()


def _provider(exporter: _Exporter, capacity: int = 10, **options: object) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False, **options)  # type: ignore[arg-type]
    provider.add_span_processor(SpanBuffer(exporter, capacity))
    return provider


def _make(provider: TracerProvider, *names: str) -> None:
    for name in names:
        provider.get_tracer("t").start_span(name).end()


def test_a_flush_sends_everything_once(exporter: _Exporter) -> None:
    provider = _provider(exporter)
    _make(provider, "a", "b")
    assert exporter.batches == []
    provider.force_flush()
    provider.force_flush()
    assert exporter.batches == [["a", "b"]]


def test_what_cannot_be_sent_is_not_sent_again(exporter: _Exporter) -> None:
    # It may have arrived all the same, and a span that comes twice is worse than one that is lost.
    exporter.result = SpanExportResult.FAILURE
    provider = _provider(exporter)
    _make(provider, "a")
    provider.force_flush()
    exporter.result = SpanExportResult.SUCCESS
    provider.force_flush()
    assert exporter.batches == [["a"]]


def test_while_the_exporter_pauses_spans_wait_and_the_oldest_go(exporter: _Exporter) -> None:
    provider = _provider(exporter, capacity=3)
    exporter.is_paused = True
    for number in range(1000):
        _make(provider, str(number))
        provider.force_flush()
    assert exporter.batches == []
    exporter.is_paused = False
    provider.force_flush()
    assert exporter.batches == [["997", "998", "999"]]


def test_what_is_not_sampled_is_not_kept(exporter: _Exporter) -> None:
    provider = _provider(exporter, sampler=ALWAYS_OFF)
    _make(provider, "a")
    provider.force_flush()
    assert exporter.batches == []


def test_a_shutdown_sends_the_rest(exporter: _Exporter) -> None:
    provider = _provider(exporter)
    _make(provider, "a")
    provider.shutdown()
    assert (exporter.batches, exporter.is_shut_down) == ([["a"]], True)
