"""The trace of one invocation on Lambda: continued from the runtime's header, sent at the end."""

import os
import time
from contextvars import Token
from typing import Final

from opentelemetry import context, trace
from opentelemetry.context import Context
from starlette.datastructures import Headers
from starlette.types import Scope

from shared import tracing
from shared.request.identity import XRayHeader
from shared.request.identity import header as header_of
from shared.telemetry import propagation
from shared.telemetry.server_spans import finish
from shared.telemetry.span_recorder import SpanRecorder

_LONGEST_INIT_SECONDS: Final = 60.0
_WAITED_NS: Final = 1_000_000_000
_NOTHING: Final = Context()
# The API's own key: its `set_span_in_context` copies a context twice.
[_SPAN] = trace.set_span_in_context(trace.INVALID_SPAN, _NOTHING)


class Invocation:
    """The block of `tracing.invocation`; a class, because every request enters one.

    Args:
        header: The runtime's own.
        is_ours: Whether the provider is; a wrapper may have begun a span of the invocation.
        ready_ns: When the process was ready, where this is its first invocation (Unix time).
    """

    def __init__(self, header: XRayHeader | None, *, is_ours: bool, ready_ns: int | None) -> None:
        self._parent = propagation.parent_of(header)
        self._is_sampled = self._parent is None or self._parent.trace_flags.sampled
        self._is_wrapped = not is_ours and _is_within(self._parent)
        self._ready_ns = ready_ns

    def __enter__(self) -> None:
        if self._is_wrapped:
            return  # the wrapper has continued the trace, and flushes when its span ends
        around = _below(self._parent)
        self._token = context.attach(around)
        if self._ready_ns is not None and self._is_sampled:
            _record_start(self._ready_ns, around)

    def __exit__(self, *_: object) -> None:
        if self._is_wrapped:
            return
        context.detach(self._token)
        if self._is_sampled:
            tracing.flush()


class RequestInvocation:
    """The block of `tracing.request`: an invocation that is a request, and its span.

    The span is made here and not by the application's middleware, which knows less: not whether
    the answer could be sent.

    Args:
        recorder: The process's provider.
        header: The runtime's own, which wins over the request's.
        scope: The request's; its status is put there (`tracing.STATUS_KEY`) before the block ends.
        ready_ns: When the process was ready, where this is its first invocation (Unix time).
    """

    _token: Token[Context]

    def __init__(
        self,
        recorder: SpanRecorder,
        header: XRayHeader | None,
        scope: Scope,
        ready_ns: int | None,
    ) -> None:
        self._header = header
        self._scope = scope
        self._around = _NOTHING
        if header is None:
            self._around = propagation.extract(Headers(scope=scope))
            carried = trace.get_current_span(self._around).get_span_context()
            parent = carried if carried.is_valid else None
        else:
            parent = propagation.parent_of(header)
            if header_of(scope, b"baggage"):
                self._around = propagation.with_baggage(Headers(scope=scope), _NOTHING)
        self._span = scope[tracing.SPAN_KEY] = recorder.begin("HTTP", parent)
        if ready_ns is not None and self._span.is_recording():
            _record_start(ready_ns, _below(parent))

    def __enter__(self) -> None:
        around = Context({**self._around, _SPAN: self._span})
        self._token = context.attach(around)

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        context.detach(self._token)
        if self._span.is_recording():
            finish(self._span, self._scope, self._scope.get(tracing.STATUS_KEY), error)
            tracing.flush()


def _below(parent: trace.SpanContext | None) -> Context:
    if parent is None:
        return _NOTHING
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), _NOTHING)


def _is_within(parent: trace.SpanContext | None) -> bool:
    """Whether a span of this trace (of any, where none is known) is around."""
    around = trace.get_current_span().get_span_context()
    return around.is_valid and (parent is None or parent.trace_id == around.trace_id)


def _record_start(ready_ns: int, around: Context) -> None:
    """Make a span of the time from the process's start until it was ready for this invocation."""
    if time.time_ns() - ready_ns > _WAITED_NS:
        return  # started ahead of any request: nobody waited for it
    try:
        age = _process_age_seconds()
    except (OSError, ValueError, IndexError, AttributeError):  # not Linux
        return
    if age < _LONGEST_INIT_SECONDS:  # else restored from a snapshot
        tracing.get_tracer().start_span(
            "cold start",
            around,
            start_time=time.time_ns() - int(age * 1e9),
            attributes={"faas.coldstart": True},
        ).end(ready_ns)


def _process_age_seconds() -> float:
    with open("/proc/self/stat", "rb") as file:
        # The second field, a name in parentheses, may hold spaces; the start is the 22nd.
        ticks = int(file.read().rpartition(b")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
