"""The trace of one invocation on Lambda: continued from the runtime's header, sent at the end."""

import os
import time
from typing import Final

from opentelemetry import context, trace

from shared import trace_context, tracing
from shared.context import XRAY_HEADER

_LONGEST_INIT_SECONDS: Final = 60.0
_WAITED_NS: Final = 1_000_000_000


class Invocation:
    """The block of `tracing.invocation`; a class, because every request enters one.

    Args:
        xray_header: The runtime's own, which wins over the request's.
        is_ours: Whether the provider is; a wrapper may have begun a span of the invocation.
        started_ns: When the process was ready, where this is its first invocation (Unix time).
    """

    def __init__(self, xray_header: str | None, *, is_ours: bool, started_ns: int | None) -> None:
        self._parent = trace_context.extract({XRAY_HEADER: xray_header} if xray_header else {})
        continued = trace.get_current_span(self._parent).get_span_context()
        self._is_sampled = continued.trace_flags.sampled or not continued.is_valid
        self._is_wrapped = not is_ours and _is_within(continued.trace_id)
        self._started_ns = started_ns

    def __enter__(self) -> None:
        if self._is_wrapped:
            return  # the wrapper has continued the trace, and flushes when its span ends
        self._token = context.attach(self._parent)
        if self._started_ns is not None and self._is_sampled:
            _record_start(self._started_ns)

    def __exit__(self, *_: object) -> None:
        if self._is_wrapped:
            return
        context.detach(self._token)
        if self._is_sampled:
            tracing.flush()


def _is_within(trace_id: int) -> bool:
    """Whether a span of this trace (of any, where 0 names none) is around."""
    around = trace.get_current_span().get_span_context()
    return around.is_valid and trace_id in {0, around.trace_id}


def _record_start(ready_ns: int) -> None:
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
            start_time=time.time_ns() - int(age * 1e9),
            attributes={"faas.coldstart": True},
        ).end(ready_ns)


def _process_age_seconds() -> float:
    with open("/proc/self/stat", "rb") as file:
        # The second field, a name in parentheses, may hold spaces; the start is the 22nd.
        ticks = int(file.read().rpartition(b")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
