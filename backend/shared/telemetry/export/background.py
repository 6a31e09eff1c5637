"""Export in the background, for a process that is not frozen between requests."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from shared.telemetry.export.exporter import Exporter


def background_processor(exporter: Exporter | SpanExporter) -> BatchSpanProcessor:
    """Return the SDK's processor, which exports every second in a thread of its own."""
    if not isinstance(exporter, SpanExporter):
        exporter = _SdkExporter(exporter)
    return BatchSpanProcessor(exporter, schedule_delay_millis=1000)


class _SdkExporter(SpanExporter):
    """Gives one of our exporters the interface that the SDK expects."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        is_sent = self._exporter.export(spans)
        return SpanExportResult.SUCCESS if is_sent else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self._exporter.shutdown()
