"""Spans kept until the end of an invocation, for an environment that freezes after it."""

from collections import deque
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter

CAPACITY: Final = 2048


class SpanBuffer(SpanProcessor):
    """Exports in the caller's thread when it is flushed.

    OpenTelemetry's batch processor has a thread, which a frozen environment stops anywhere, and
    each flush waits for it to wake.

    Args:
        exporter: Where spans go.
        capacity: Beyond it the oldest spans are dropped.
    """

    def __init__(self, exporter: SpanExporter, capacity: int = CAPACITY) -> None:
        self._exporter = exporter
        self._spans: deque[ReadableSpan] = deque(maxlen=capacity)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing: spans are kept when they end."""

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span of a sampled trace."""
        if span.context is not None and span.context.trace_flags.sampled:
            self._spans.append(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the exporter's own bound holds
        """Export what is kept; what cannot be exported is lost, so that no span is sent twice."""
        if not self._spans or getattr(self._exporter, "is_paused", False):
            return True
        spans = [self._spans.popleft() for _ in range(len(self._spans))]
        return self._exporter.export(spans).name == "SUCCESS"

    def shutdown(self) -> None:
        """Export what is kept, and close the exporter."""
        self.force_flush()
        self._exporter.shutdown()
