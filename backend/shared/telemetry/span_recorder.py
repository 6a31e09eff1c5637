"""OpenTelemetry's tracing API for an environment that freezes after each request.

Spans are kept as they end and sent when told, in the caller's thread: the SDK's batch processor has
a thread of its own, which a frozen environment stops anywhere. What sampling, limits and events
mean is the SDK's (https://opentelemetry.io/docs/specs/otel/trace/sdk/); what it has beside them
costs every cold start and every request, and processes that are not frozen have it
(shared.sdk_provider).
"""

import random
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, Self

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util._decorator import _agnosticcontextmanager

from shared.telemetry.propagation import root_trace_id, span_context

CAPACITY: Final = 2048
MAX_ATTRIBUTES: Final = 128
"""The SDK's own default, of a span and of an event; events and links are as many."""

_PLAIN: Final = frozenset({str, bool, int, float, bytes})
_TEXT: Final = frozenset({str})
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_UNSET: Final = Status()


class Exporter(Protocol):
    """Where spans go."""

    def export(self, spans: Sequence[Any]) -> object:
        """Send spans; what cannot be sent is lost."""

    def shutdown(self) -> None:
        """Close what is open."""


class Resource(NamedTuple):
    """Whose spans these are."""

    attributes: Mapping[str, str]


class Scope(NamedTuple):
    """Which library made a span."""

    name: str
    version: str | None
    attributes: None = None


OWN_SCOPE: Final = Scope("fin-advisor", None)


class Event(NamedTuple):
    """Something that happened within a span."""

    name: str
    attributes: Mapping[str, Any]
    timestamp: int
    dropped_attributes: int = 0


class SpanRecorder(trace.TracerProvider):
    """A provider whose spans wait for `force_flush`.

    Args:
        resource: Attributes of every span.
        exporter: Where spans go; while its `is_paused` says so, they wait. Without one they end
            here.
        capacity: Beyond it the oldest spans are dropped.
    """

    def __init__(
        self, resource: Mapping[str, str], exporter: Exporter | None, capacity: int = CAPACITY
    ) -> None:
        self.resource = Resource(resource)
        self._exporter = exporter
        self._capacity = capacity if exporter is not None else 0
        self._spans: list[RecordedSpan] = []

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        *_: object,
        **__: object,
    ) -> trace.Tracer:
        """Return a tracer."""
        scope = Scope(instrumenting_module_name, instrumenting_library_version)
        return _Tracer(self, scope)

    def begin(
        self,
        name: str,
        parent: SpanContext | None,
        kind: SpanKind = SpanKind.INTERNAL,
        scope: Scope = OWN_SCOPE,
    ) -> "RecordedSpan | trace.NonRecordingSpan":
        """Return a span that begins now; below a parent it follows the parent's decision."""
        span_id = random.getrandbits(64) or 1
        if parent is None:
            context = span_context(root_trace_id() or new_trace_id(), span_id, _SAMPLED)
        else:
            trace_id, _, _, flags, state, _ = parent
            context = span_context(trace_id, span_id, flags, state)
            if not flags & TraceFlags.SAMPLED:
                return trace.NonRecordingSpan(context)
        return RecordedSpan(self, scope, name, context, parent, kind)

    def keep(self, span: "RecordedSpan") -> None:
        """Take a span that has ended."""
        spans = self._spans
        spans.append(span)
        if len(spans) > self._capacity:
            del spans[0]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the exporter's own bound holds
        """Export what is kept; what cannot be exported is lost, and not kept for another time."""
        if not self._spans or getattr(self._exporter, "is_paused", False):
            return True
        spans, self._spans = self._spans, []
        assert self._exporter is not None  # noqa: S101 - without one nothing is kept
        return bool(self._exporter.export(spans))

    def shutdown(self) -> None:
        """Export what is kept, and close the exporter."""
        self.force_flush()
        if self._exporter is not None:
            self._exporter.shutdown()


class _Tracer(trace.Tracer):
    def __init__(self, recorder: SpanRecorder, scope: Scope) -> None:
        self._recorder = recorder
        self._scope = scope

    def start_span(  # noqa: PLR0917 - the interface's
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        above = trace.get_current_span(context).get_span_context()
        span = self._recorder.begin(name, above if above.is_valid else None, kind, self._scope)
        if not isinstance(span, RecordedSpan):
            return span
        if start_time:
            span.start_time = start_time
        span.raises = (record_exception, set_status_on_exception)
        if attributes:
            span.set_attributes(attributes)
        for link in links or ():
            span.add_link(link.context, link.attributes)
        return span

    @_agnosticcontextmanager
    def start_as_current_span(  # noqa: PLR0917 - the interface's
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[trace.Span]:
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with trace.use_span(span, end_on_exit, record_exception, set_status_on_exception):
            yield span


class RecordedSpan(trace.Span):
    """A span and all that is known of it; after its end it does not change."""

    # Of most spans; those that differ have their own.
    end_time: int | None = None
    events: Sequence[Event] = ()
    links: Sequence[Link] = ()
    status = _UNSET
    dropped_attributes = dropped_events = dropped_links = 0
    raises = (True, True)

    def __init__(  # noqa: PLR0917 - one a request; names cost more than places
        self,
        recorder: SpanRecorder,
        scope: Scope,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
    ) -> None:
        self._recorder = recorder
        self.resource = recorder.resource
        self.instrumentation_scope = scope
        self.name = name
        self.context = context
        self.parent = parent
        self.kind = kind
        self.attributes: dict[str, Any] = {}
        self.start_time = time.time_ns()

    def get_span_context(self) -> SpanContext:
        """Return the span's ids."""
        return self.context

    def is_recording(self) -> bool:
        """Return whether the span has not ended."""
        return self.end_time is None

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute; None sets nothing."""
        if self.end_time is None:
            self.dropped_attributes += not _put(self.attributes, key, value)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes."""
        if self.end_time is None and (dropped := _put_all(self.attributes, attributes)):
            self.dropped_attributes += dropped

    def describe(self, name: str, attributes: dict[str, str | int]) -> None:
        """Rename the span and set attributes, whose types are taken to be what they should be."""
        if len(self.attributes) + len(attributes) <= MAX_ATTRIBUTES:
            self.name = name
            self.attributes.update(attributes)
        else:
            self.update_name(name)
            self.set_attributes(attributes)

    def add_event(
        self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None
    ) -> None:
        """Add an event; of too many the first ones are kept."""
        if self.end_time is not None:
            return
        if len(self.events) >= MAX_ATTRIBUTES:
            self.dropped_events += 1
            return
        kept: dict[str, Any] = {}
        dropped = _put_all(kept, attributes or {})
        self.events = (*self.events, Event(name, kept, timestamp or time.time_ns(), dropped))

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Add a link; of too many the first ones are kept."""
        if self.end_time is not None or not (context.is_valid or attributes or context.trace_state):
            return
        if len(self.links) >= MAX_ATTRIBUTES:
            self.dropped_links += 1
            return
        kept: dict[str, Any] = {}
        _put_all(kept, attributes or {})
        self.links = (*self.links, Link(context, kept))

    def update_name(self, name: str) -> None:
        """Rename the span."""
        if self.end_time is None:
            self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status; an OK is final, and nothing unsets one."""
        if not isinstance(status, Status):
            status = Status(status, description)
        is_final = self.status.status_code is StatusCode.OK or self.end_time is not None
        if not is_final and status.status_code is not StatusCode.UNSET:
            self.status = status

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: ARG002 - the interface's, and no longer a convention
    ) -> None:
        """Add an `exception` event."""
        told = {
            "exception.type": _type_name(type(exception)),
            "exception.message": str(exception),
            "exception.stacktrace": "".join(traceback.format_exception(exception)),
        }
        self.add_event("exception", {**told, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """End the span; a second end changes nothing."""
        if self.end_time is None:
            self.end_time = end_time or time.time_ns()
            self._recorder.keep(self)

    def __enter__(self) -> Self:
        """Return the span, which becomes nobody's parent by this."""
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        """Record what was raised, and end."""
        records, sets_status = self.raises
        if error is not None and self.is_recording():
            if records:
                self.record_exception(error)
            if sets_status:
                self.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")
        self.end()


def new_trace_id() -> int:
    """Return a trace id as X-Ray takes it: seconds since 1970, then 96 random bits.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
    """
    return int(time.time()) << 96 | random.getrandbits(96)


def _type_name(kind: type) -> str:
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _put_all(attributes: dict[str, Any], more: Mapping[str, Any]) -> int:
    """Put values in, and return how many were dropped."""
    if (
        len(attributes) + len(more) <= MAX_ATTRIBUTES
        and _PLAIN.issuperset(map(type, more.values()))
        and _TEXT.issuperset(map(type, more))
        and "" not in more
    ):
        attributes.update(more)  # as nearly always: one step for all of them
        return 0
    dropped = 0
    for key, value in more.items():
        dropped += not _put(attributes, key, value)
    return dropped


def _put(attributes: dict[str, Any], key: Any, value: Any) -> bool:
    """Put a value in if there is room and the key is one; return whether nothing was dropped."""
    if value is None:
        return True
    if len(attributes) >= MAX_ATTRIBUTES and key not in attributes:
        return False
    if not isinstance(key, str) or not key:
        return False
    attributes[key] = value if type(value) in _PLAIN else _copy(value)
    return True


def _copy(value: Any) -> Any:
    """Return what the SDK keeps of a value, which its owner may go on changing."""
    if value is None or isinstance(value, (str, bool, int, float, bytes)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _copy(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return tuple(_copy(item) for item in value)
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - somebody's __str__ may raise anything
        return f"<{type(value).__name__}: {type(error).__name__}>"
