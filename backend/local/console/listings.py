"""Pages of traces and log lines, and one trace with both."""

from itertools import islice

from local.console.log_lines import LogLines
from local.console.models import (
    Level,
    LogPage,
    SpanEvent,
    Trace,
    TracePage,
    TraceSpan,
    TraceSummary,
)
from local.traces.spans import Span, plain_trace_id
from local.traces.store import TraceStore
from local.traces.summaries import Filter, Summary

_MOST_LINES = 500


class InvalidCursorError(ValueError):
    """The cursor is not from a page of traces."""


class Listings:
    """Reads traces and log lines."""

    def __init__(self, traces: TraceStore, lines: LogLines) -> None:
        self._traces = traces
        self._lines = lines

    def traces(self, wanted: Filter, limit: int, cursor: str | None) -> TracePage:
        """One page of traces.

        Raises:
            InvalidCursorError: The cursor is malformed.
        """
        found = self._traces.summaries.page(wanted, limit + 1, _parsed(cursor))
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return TracePage(
            traces=[_summary(one) for one in page],
            total=self._traces.summaries.count(wanted),
            cursor=f"{last.start_ns}-{last.trace_id}" if last else None,
        )

    def trace(self, trace_id: str) -> Trace | None:
        """A trace, or None if no span of it has arrived."""
        spans = self._traces.trace(trace_id)
        if not spans:
            return None
        start = min(span.start_ns for span in spans)
        lines = islice(self._lines.find(trace_id=plain_trace_id(trace_id)), _MOST_LINES)
        return Trace(
            trace_id=spans[0].trace_id,
            xray_trace_id=spans[0].xray_trace_id,
            started_at=start / 1e9,
            duration_ms=(max(span.end_ns for span in spans) - start) / 1e6,
            spans=[_span(span, start) for span in spans],
            lines=list(lines)[::-1],
        )

    def lines(
        self,
        *,
        service: str | None,
        level: Level,
        trace_id: str | None,
        text: str | None,
        before: int | None,
        limit: int,
    ) -> LogPage:
        """One page of log lines, newest first."""
        trace = plain_trace_id(trace_id) if trace_id else None
        matching = self._lines.find(
            service=service, level=level, trace_id=trace, text=text, before=before
        )
        found = list(islice(matching, limit + 1))
        page = found[:limit]
        return LogPage(lines=page, before=page[-1].number if len(found) > limit else None)


def _parsed(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    start, _, trace_id = cursor.partition("-")
    if not start.isdecimal() or len(start) > 20 or not trace_id:
        raise InvalidCursorError("This cursor is not from a page of traces.")
    return int(start), trace_id


def _summary(one: Summary) -> TraceSummary:
    return TraceSummary(
        trace_id=one.trace_id,
        name=one.name,
        started_at=one.start_ns / 1e9,
        duration_ms=round((one.end_ns - one.start_ns) / 1e6, 3),
        spans=one.spans,
        errors=one.errors,
        status=one.status,
        services=list(one.services),
    )


def _span(span: Span, start_ns: int) -> TraceSpan:
    return TraceSpan(
        span_id=span.span_id,
        parent_id=span.parent_id,
        service=span.service,
        name=span.name,
        kind=span.kind,
        start_ms=(span.start_ns - start_ns) / 1e6,
        duration_ms=span.duration_ms,
        status=span.status,
        attributes=span.attributes,
        events=[SpanEvent(**one) for one in span.events],
        scope=span.scope,
    )
