"""The trace of one Lambda invocation: continued from the runtime's header, exported at the end."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import context, trace
from opentelemetry.context import Context
from starlette.datastructures import Headers
from starlette.types import Scope

from shared import tracing
from shared.request.identity import XRayHeader
from shared.telemetry import propagation
from shared.telemetry.scope import SPAN_KEY, STATUS_KEY
from shared.telemetry.server_spans import finish, use_span

_MAX_INIT_SECONDS: Final = 60.0
_MAX_WAIT_NS: Final = 1_000_000_000


@contextmanager
def traced_request(header: XRayHeader | None, scope: Scope, ready_ns: int | None) -> Iterator[None]:
    """Trace an invocation that is an HTTP request, with one INTERNAL span.

    The span is created here because the application's middleware cannot know whether the response
    reached the Lambda runtime. If an ADOT wrapper owns the provider, the middleware creates it.

    Args:
        header: The runtime's X-Ray header, which takes precedence over the request's.
        scope: The request's ASGI scope; `STATUS_KEY` must be set before the block ends.
        ready_ns: When the process was ready (Unix time), at its first invocation only.
    """
    if not tracing.owns_provider():
        with traced_invocation(header, ready_ns):
            yield
        return
    headers = Headers(scope=scope)
    if header is None:
        parent = propagation.extract(headers)
    else:
        parent = propagation.with_baggage(headers, propagation.xray_context(header))
    token = context.attach(parent)
    span = scope[SPAN_KEY] = tracing.get_tracer().start_span("HTTP")
    try:
        if ready_ns is not None:
            _record_cold_start(ready_ns)
        with use_span(span):
            try:
                yield
            except BaseException as error:
                finish(span, scope, scope.get(STATUS_KEY), error)
                raise
            finish(span, scope, scope.get(STATUS_KEY), None)
    finally:
        context.detach(token)
        if span.get_span_context().trace_flags.sampled:
            tracing.flush()


@contextmanager
def traced_invocation(header: XRayHeader | None, ready_ns: int | None) -> Iterator[None]:
    """Continue the runtime's trace for an invocation, and export its spans at the end.

    Args:
        header: The runtime's X-Ray header.
        ready_ns: When the process was ready (Unix time), at its first invocation only.
    """
    parent = propagation.xray_context(header)
    if not tracing.owns_provider() and _is_continued(parent):
        yield  # a wrapper's span of this invocation is current, and the wrapper flushes
        return
    token = context.attach(parent)
    try:
        if ready_ns is not None:
            _record_cold_start(ready_ns)
        yield
    finally:
        context.detach(token)
        if header is None or header.sampled is not False:
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
