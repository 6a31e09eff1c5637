"""The TracerProvider of this process: its resource, its ids, and when its spans are exported."""

import os
import random
import threading
import time
from collections import deque
from typing import Final
from urllib.parse import unquote

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator

from shared.logging import get_logger
from shared.telemetry.export.exporter import Exporter, make_exporter
from shared.telemetry.propagation import root_trace_id

_log = get_logger(__name__)

MAX_HELD_SPANS: Final = 2048


def on_lambda() -> bool:
    """Return whether this process is frozen between requests."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def make_provider(
    service_name: str, environment: str, endpoint: str, exporter: Exporter | None = None
) -> TracerProvider:
    """Return a provider that exports to an endpoint, or through an exporter if one is given.

    The SDK reads its own variables: `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`, the span
    limits and `OTEL_SDK_DISABLED`.
    """
    provider = TracerProvider(
        # Not Resource.create(): it scans the entry points of every installed distribution.
        resource=Resource(_resource_attributes(service_name, environment)),
        id_generator=XRayIdGenerator(),
        shutdown_on_exit=False,  # its exit handler waits without a time limit
    )
    exporter = exporter or make_exporter(endpoint, blocks_request=on_lambda())
    if exporter is not None and on_lambda():
        provider.add_span_processor(HoldingSpanProcessor(exporter))
    elif exporter is not None:
        from shared.telemetry.export.background import background_processor

        provider.add_span_processor(background_processor(exporter))
    return provider


class HoldingSpanProcessor(SpanProcessor):
    """Holds sampled spans until `force_flush`, and then exports them in the calling thread.

    For Lambda, which freezes the process after each answer: the SDK's `BatchSpanProcessor` exports
    in a thread of its own, which the freeze stops at any point.

    Args:
        exporter: Receives the spans. While its `is_paused` is true, spans stay here.
        capacity: How many spans are held. When one more ends, the oldest is dropped.
    """

    def __init__(self, exporter: Exporter, capacity: int = MAX_HELD_SPANS) -> None:
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

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the exporter has a time limit of its own
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
    if project := os.environ.get("PROJECT_NAME"):
        attributes["service.namespace"] = project
    if function := os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        attributes |= {
            "cloud.provider": "aws",
            "cloud.platform": "aws_lambda",
            "cloud.region": os.environ.get("AWS_REGION", ""),
            "faas.name": function,
            "faas.version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            "faas.instance": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        }
    elif region := os.environ.get("AWS_REGION"):
        attributes |= {"cloud.provider": "aws", "cloud.region": region}
    # OpenTelemetry's standard variable to add or override attributes: "key=value,key=value".
    for pair in filter(None, os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",")):
        key, separator, value = pair.partition("=")
        if separator and key.strip():
            attributes[key.strip()] = unquote(value.strip())
    return attributes
