"""The TracerProvider of this process: its resource, its ids, and when its spans are exported."""

import os
import random
import threading
import time
from collections import deque
from typing import Final

from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

from shared.logging import get_logger
from shared.telemetry.export.exporter import make_exporter
from shared.telemetry.propagation import root_trace_id

_log = get_logger(__name__)

LAMBDA_EXPORT_SECONDS: Final = 0.25
"""Time limit of an export that a request waits for. `TracerProvider.force_flush` ignores its
timeout argument; only the exporter's is enforced."""

BACKGROUND_EXPORT_SECONDS: Final = 5.0
MAX_HELD_SPANS: Final = 2048

_FROM_ENVIRONMENT: Final = {
    "service.namespace": "PROJECT_NAME",
    "cloud.region": "AWS_REGION",
    "faas.name": "AWS_LAMBDA_FUNCTION_NAME",
    "faas.version": "AWS_LAMBDA_FUNCTION_VERSION",
    "faas.instance": "AWS_LAMBDA_LOG_STREAM_NAME",
}


def on_lambda() -> bool:
    """Return whether this process is frozen between requests."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def make_provider(
    service_name: str, environment: str, endpoint: str, exporter: SpanExporter | None = None
) -> TracerProvider:
    """Return a provider that exports to an endpoint, or through an exporter if one is given.

    The SDK reads its own variables: `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`, the span
    limits, `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SDK_DISABLED`.
    """
    own = Resource(_resource_attributes(service_name, environment))
    provider = TracerProvider(
        # Not Resource.create(): it scans the entry points of every installed distribution.
        resource=own.merge(OTELResourceDetector().detect()),
        id_generator=XRayIdGenerator(),
        shutdown_on_exit=False,  # its exit handler waits without a time limit
    )
    seconds = LAMBDA_EXPORT_SECONDS if on_lambda() else BACKGROUND_EXPORT_SECONDS
    exporter = exporter or make_exporter(endpoint, seconds)
    if exporter is not None and on_lambda():
        provider.add_span_processor(HoldingSpanProcessor(exporter))
    elif exporter is not None:
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    return provider


class HoldingSpanProcessor(SpanProcessor):
    """Holds sampled spans until `force_flush`, and then exports them in the calling thread.

    For Lambda, which freezes the process after each answer: the SDK's `BatchSpanProcessor` exports
    in a thread of its own, which the freeze stops at any point.

    Args:
        exporter: Receives the spans. If it has `is_paused`, spans stay here while that is true.
        capacity: How many spans are held. When one more ends, the oldest is dropped.
    """

    def __init__(self, exporter: SpanExporter, capacity: int = MAX_HELD_SPANS) -> None:
        self._exporter = exporter
        self._spans: deque[ReadableSpan] = deque(maxlen=capacity)
        self._dropped = 0
        # Spans may end in other threads while a flush takes the spans out.
        self._lock = threading.Lock()

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span that has ended, if it is sampled."""
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return
        with self._lock:
            self._dropped += len(self._spans) == self._spans.maxlen
            self._spans.append(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the exporter has its own time limit
        """Export the held spans; false if they stay because the exporter pauses."""
        if not self._spans:
            return True
        if getattr(self._exporter, "is_paused", False):
            return False
        with self._lock:
            spans, dropped = list(self._spans), self._dropped
            self._spans.clear()
            self._dropped = 0
        if dropped:
            _log.warning("tracing_spans_dropped", spans_lost=dropped, held=len(spans))
        self._exporter.export(spans)
        return True

    def shutdown(self) -> None:
        """Export the held spans and close the exporter."""
        self.force_flush()
        self._exporter.shutdown()


class XRayIdGenerator(IdGenerator):
    """Trace ids that X-Ray accepts: seconds since 1970, then 96 random bits.

    If the request's header named a trace but no parent, that trace's id is used.
    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
    """

    def generate_trace_id(self) -> int:
        """Return a trace id for a span without a parent."""
        return root_trace_id() or int(time.time()) << 96 | random.getrandbits(96)

    def generate_span_id(self) -> int:
        """Return 64 random bits; 0 is no valid id."""
        return random.getrandbits(64) or 1


def _resource_attributes(service_name: str, environment: str) -> dict[str, str]:
    attributes = {
        "service.name": service_name,
        "service.version": os.environ.get("SERVICE_VERSION", "dev"),
        "deployment.environment.name": environment,
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
    }
    if "AWS_REGION" in os.environ:
        attributes["cloud.provider"] = "aws"
    if on_lambda():
        attributes["cloud.platform"] = "aws_lambda"
    for name, variable in _FROM_ENVIRONMENT.items():
        if value := os.environ.get(variable):
            attributes[name] = value
    return attributes
