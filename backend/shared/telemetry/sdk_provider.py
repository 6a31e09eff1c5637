"""OpenTelemetry's SDK as the provider of a process that runs on: it exports in the background."""

from collections.abc import Mapping, Sequence

from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from shared.telemetry.propagation import root_trace_id
from shared.telemetry.span_recorder import Exporter


def sdk_provider(resource: Mapping[str, str], exporter: Exporter | None) -> TracerProvider:
    """Return a provider with X-Ray ids that hands its spans to an exporter once a second."""
    provider = TracerProvider(
        # Not Resource.create(): it scans the entry points of every installed distribution.
        resource=Resource(dict(resource)),
        id_generator=_RootIdGenerator(),
        shutdown_on_exit=False,  # it waits without a bound; ours does not
    )
    if exporter is not None:
        taken = exporter if isinstance(exporter, SpanExporter) else _Taken(exporter)
        provider.add_span_processor(BatchSpanProcessor(taken, schedule_delay_millis=1000))
    return provider


class _Taken(SpanExporter):
    """One of our exporters as the SDK knows them."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        is_sent = self._exporter.export(spans)
        return SpanExportResult.SUCCESS if is_sent else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _RootIdGenerator(AwsXRayIdGenerator):
    """X-Ray ids, and the trace id of a header that names a trace but no parent."""

    def generate_trace_id(self) -> int:
        return root_trace_id() or int(super().generate_trace_id())
