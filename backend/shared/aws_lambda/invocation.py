"""The trace of one Lambda invocation: continued from the runtime's header, exported at the end."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Final

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers
from starlette.types import Scope

from shared import tracing
from shared.request.identity import XRayHeader
from shared.telemetry import propagation
from shared.telemetry.server_spans import request_span

_MAX_INIT_SECONDS: Final = 60.0
_MAX_WAIT_NS: Final = 1_000_000_000


@contextmanager
def traced_invocation(
    header: XRayHeader | None, ready_ns: int | None, scope: Scope | None = None
) -> Iterator[None]:
    """Continue the runtime's trace for an invocation, and export its spans at the end.

    An HTTP request gets one INTERNAL span. It is created here because the application's middleware
    cannot know whether the response reached the Lambda runtime. If an ADOT wrapper owns the
    provider, the middleware creates it.

    Args:
        header: The runtime's X-Ray header, which takes precedence over the request's.
        ready_ns: When the process was ready (Unix time), at its first invocation only.
        scope: The ASGI scope if the invocation is an HTTP request; `STATUS_KEY` must be set before
            the block ends.
    """
    parent = propagation.extract(Headers(scope=scope) if scope else {}, header)
    is_owner = tracing.owns_provider()
    if not is_owner and _is_continued(parent):
        yield  # a wrapper's span of this invocation is current, and the wrapper flushes
        return
    token = context.attach(parent)
    try:
        if ready_ns is not None:
            _record_cold_start(ready_ns)
        with (
            request_span(scope, parent, SpanKind.INTERNAL) if scope and is_owner else nullcontext()
        ):
            yield
    finally:
        context.detach(token)
        # Whatever the header says: a sampler may record spans that X-Ray does not sample. Without
        # a span there is nothing to export and nothing to wait for.
        tracing.flush()


def _is_continued(parent_context: Context) -> bool:
    """Return whether a span of the parent's trace is current; any span, if there is no parent."""
    current = trace.get_current_span().get_span_context()
    parent = trace.get_current_span(parent_context).get_span_context()
    return current.is_valid and (not parent.is_valid or parent.trace_id == current.trace_id)


def _record_cold_start(ready_ns: int) -> None:
    """Record a span from the process's start until it was ready for its first invocation."""
    if time.time_ns() - ready_ns > _MAX_WAIT_NS:
        return  # Lambda started the process in advance: no request waited for it
    try:
        age = _process_age_seconds()
    except (OSError, ValueError, IndexError, AttributeError):  # not Linux
        return
    if age < _MAX_INIT_SECONDS:  # else restored from a snapshot
        tracing.get_tracer().start_span(
            "cold start",
            start_time=time.time_ns() - int(age * 1e9),
            attributes={"faas.coldstart": True},
        ).end(ready_ns)


def _process_age_seconds() -> float:
    with open("/proc/self/stat", "rb") as file:
        # The process's name, in parentheses, may contain spaces; its start is the 22nd field.
        ticks = int(file.read().rpartition(b")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
