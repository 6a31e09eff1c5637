"""One row for each trace, by which traces are listed and filtered."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS traces (
    trace_id TEXT PRIMARY KEY, name TEXT, start_ns INTEGER, end_ns INTEGER, spans INTEGER,
    errors INTEGER, status INTEGER, services TEXT, is_background INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS traces_by_start ON traces (start_ns);
"""
_SPANS = """
SELECT span_id, parent_id, service, name, start_ns, end_ns, status,
       json_extract(attributes, '$."http.response.status_code"')
FROM spans WHERE trace_id = ? ORDER BY start_ns, end_ns DESC
"""
_REPLACE = "REPLACE INTO traces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_GATEWAY = "gateway"
_PROBES = ("/health", "/liveness", "/readiness")
_EXPECTED = frozenset([304, 404])


@dataclass(frozen=True, slots=True)
class Summary:
    """A trace. `status` is the HTTP status of its first request; None without one.

    `is_background` is true of health checks, and of traces that begin with no request at the
    gateway, such as the scheduler's.
    """

    trace_id: str
    name: str
    start_ns: int
    end_ns: int
    spans: int
    errors: int
    status: int | None
    services: tuple[str, ...]
    is_background: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which traces to list. `outcome` is `ok`, `refused` (400 to 499) or `failed`."""

    service: str | None = None
    outcome: str | None = None
    at_least_ms: float = 0.0
    text: str | None = None
    background: bool = False

    def condition(self) -> tuple[str, list[Any]]:
        """The filter in SQL, and its parameters."""
        parts, values = ["end_ns - start_ns >= ?"], [self.at_least_ms * 1e6]
        given: list[tuple[str, Any]] = []
        if self.service is not None:
            given.append(("instr(services, ',' || ? || ',')", self.service))
        if self.text:
            given.append(("instr(lower(name), ?)", self.text.lower()))
        for part, value in given:
            parts.append(part)
            values.append(value)
        if self.outcome is not None:
            parts.append(_OUTCOMES[self.outcome])
        if not self.background:
            parts.append("NOT is_background")
        return " AND ".join(parts), values


_FAILED = "(coalesce(status, 0) >= 500 OR errors > 0)"
_REFUSED = f"(status BETWEEN 400 AND 499 AND NOT {_FAILED})"
_OUTCOMES = {
    "failed": _FAILED,
    "refused": _REFUSED,
    "ok": f"(coalesce(status, 200) < 400 AND NOT {_FAILED})",
}


class TraceSummaries:
    """The summaries of the traces whose spans are in the same database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_SCHEMA)
        self.changes = 0
        """Increases with each change."""

    def update(self, trace_ids: Iterable[str]) -> None:
        """Summarise these traces again, within the caller's transaction."""
        self._database.executemany(_REPLACE, filter(None, map(self._row, trace_ids)))
        self.changes += 1

    def prune(self, until_ns: int) -> None:
        """Delete the traces that began until then, within the caller's transaction."""
        self._database.execute("DELETE FROM traces WHERE start_ns <= ?", (until_ns,))

    def count(self, wanted: Filter) -> int:
        condition, values = wanted.condition()
        query = f"SELECT COUNT(*) FROM traces WHERE {condition}"  # noqa: S608 - from constants
        [count] = self._database.execute(query, values).fetchone()
        return int(count)

    def page(
        self, wanted: Filter, limit: int, before: tuple[int, str] | None = None
    ) -> list[Summary]:
        """The newest matching traces; `before` is the start and id of the last one of the page
        before.
        """
        condition, values = wanted.condition()
        if before is not None:
            condition += " AND (start_ns, trace_id) < (?, ?)"
            values += before
        query = (
            f"SELECT * FROM traces WHERE {condition} "  # noqa: S608 - from constants
            "ORDER BY start_ns DESC, trace_id DESC LIMIT ?"
        )
        return [_summary(row) for row in self._database.execute(query, [*values, limit])]

    def _row(self, trace_id: str) -> tuple[Any, ...] | None:
        spans = self._database.execute(_SPANS, (trace_id,)).fetchall()
        if not spans:
            return None
        root = _root(spans)
        _, _, service, name, *_, status = root
        return (
            trace_id,
            name,
            min(span[4] for span in spans),
            max(span[5] for span in spans),
            len(spans),
            sum(is_failure(span[6], span[7]) for span in spans),
            status,
            f",{','.join(sorted({span[2] for span in spans}))},",
            service != _GATEWAY or name.endswith(_PROBES),
        )


def is_failure(status: str, http_status: object) -> bool:
    """Whether a span failed. Callers of S3 expect 304 and 404, which the instrumentation marks as
    errors.
    """
    return status == "ERROR" and http_status not in _EXPECTED


def _root(spans: Sequence[Any]) -> Any:
    """The first request at the gateway that no span of the trace made, or else the first span."""
    known = {span[0] for span in spans}
    roots = [span for span in spans if span[1] not in known] or spans
    return next((span for span in roots if span[2] == _GATEWAY), roots[0])


def _summary(row: Sequence[Any]) -> Summary:
    trace_id, name, start, end, spans, errors, status, services, is_background = row
    return Summary(
        trace_id,
        name,
        start,
        end,
        spans,
        errors,
        status,
        tuple(services.strip(",").split(",")),
        bool(is_background),
    )
