"""Keeps the estate's spans in SQLite."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from local.traces.spans import Span, plain_trace_id
from local.traces.summaries import TraceSummaries

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (
    trace_id TEXT, span_id TEXT, parent_id TEXT, service TEXT, name TEXT, kind TEXT,
    start_ns INTEGER, end_ns INTEGER, status TEXT, attributes TEXT, events TEXT, scope TEXT,
    received INTEGER DEFAULT 1,
    PRIMARY KEY (trace_id, span_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_start ON spans (start_ns);
"""
_COLUMNS = (
    "trace_id, span_id, parent_id, service, name, kind, start_ns, end_ns, status, attributes, "
    "events, scope"
)
# A span that arrives twice is a bug of its sender. `received` counts, so that tests can see it.
_INSERT = f"""
INSERT INTO spans ({_COLUMNS}) VALUES ({", ".join("?" * 12)})
ON CONFLICT DO UPDATE SET received = received + 1
"""  # noqa: S608 - built from constants
_SELECT = f"SELECT {_COLUMNS} FROM spans WHERE trace_id = ? ORDER BY start_ns, end_ns DESC"  # noqa: S608
_SUMMARIES = """
SELECT trace_id, MIN(start_ns), MAX(end_ns), COUNT(*), SUM(status = 'ERROR'),
       GROUP_CONCAT(DISTINCT service)
FROM spans GROUP BY trace_id ORDER BY MIN(start_ns) DESC LIMIT ?
"""
_NEWEST_TO_DELETE = "SELECT start_ns FROM spans ORDER BY start_ns DESC LIMIT 1 OFFSET ?"

_log = logging.getLogger(__name__)

type Listener = Callable[[list[Span]], None]


class TraceStore:
    """The latest spans. Not thread-safe: only the event loop's thread uses it."""

    def __init__(self, path: Path | None = None, *, kept_spans: int = 100_000) -> None:
        self._database = sqlite3.connect(":memory:" if path is None else path)
        # Losing traces in a crash is acceptable. A transaction that fails, as on a full disk, must
        # be undone all the same, or the database is corrupt: so the journal is in memory.
        self._database.execute("PRAGMA journal_mode = MEMORY")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_SCHEMA)
        self.summaries = TraceSummaries(self._database)
        self._kept_spans = kept_spans
        self._since_pruned = 0
        self._listeners: list[Listener] = []
        self._is_losing = False

    def close(self) -> None:
        self._database.close()

    def on_spans(self, listener: Listener) -> None:
        """Call `listener` with the spans of each later `add`."""
        self._listeners.append(listener)

    def add(self, spans: Iterable[Span]) -> None:
        """Store spans. Beyond the limit, the oldest are deleted.

        If the disk is full, spans are lost; one warning is logged for each outage.
        """
        added = list(spans)
        try:
            with self._database:
                self._database.executemany(_INSERT, map(_row, added))
                self.summaries.update({span.trace_id for span in added})
            self._since_pruned += len(added)
            if self._since_pruned > self._kept_spans // 10:
                self._prune()
            self._is_losing = False
        except sqlite3.OperationalError as error:
            if not self._is_losing:
                _log.warning("spans are lost: %s", error)
            self._is_losing = True
        for listener in self._listeners:
            listener(added)

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of a trace, by start time. The id may be 32 digits or X-Ray's `1-…-…`."""
        rows = self._database.execute(_SELECT, (plain_trace_id(trace_id),))
        return [_span(row) for row in rows]

    def latest(self, count: int = 50) -> list[dict[str, Any]]:
        """A summary of each of the latest traces, newest first."""
        return [
            {
                "trace_id": trace_id,
                "xray_trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}",
                "name": self._root_name(trace_id),
                "started_at": start / 1e9,
                "duration_ms": round((end - start) / 1e6, 3),
                "spans": spans,
                "errors": errors,
                "services": sorted(services.split(",")),
            }
            for trace_id, start, end, spans, errors, services in self._database.execute(
                _SUMMARIES, (count,)
            )
        ]

    def received_twice(self) -> list[tuple[str, str]]:
        """The (service, name) of each span that was received more than once."""
        rows = self._database.execute("SELECT service, name FROM spans WHERE received > 1")
        return list(rows)

    def _root_name(self, trace_id: str) -> str:
        [name] = self._database.execute(
            "SELECT name FROM spans WHERE trace_id = ? "
            "ORDER BY parent_id <> '', start_ns, end_ns DESC LIMIT 1",
            (trace_id,),
        ).fetchone()
        return str(name)

    def _prune(self) -> None:
        self._since_pruned = 0
        found = self._database.execute(_NEWEST_TO_DELETE, (self._kept_spans,)).fetchone()
        if found:
            with self._database:
                self._database.execute("DELETE FROM spans WHERE start_ns <= ?", found)
                self.summaries.prune(*found)


def _row(span: Span) -> tuple[Any, ...]:
    values = span.as_dict()
    values["attributes"] = json.dumps(span.attributes, default=str)
    values["events"] = json.dumps(span.events, default=str)
    return tuple(values[name] for name in _COLUMNS.split(", "))


def _span(row: tuple[Any, ...]) -> Span:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    values["attributes"] = json.loads(values["attributes"])
    values["events"] = json.loads(values["events"])
    return Span(**values)
