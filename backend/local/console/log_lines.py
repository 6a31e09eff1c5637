"""The latest log lines of all services, which can be filtered."""

import json
import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from local.console.models import Level, LogLine

LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error", "critical")

_KEPT = 10_000
_LONGEST_CHARACTERS = 20_000


class LogLines:
    """Keeps the latest lines, numbered from 1. Only the event loop's thread uses it."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._lines: deque[LogLine] = deque(maxlen=kept)
        self.newest = 0

    def add(self, service: str, text: str) -> None:
        self.newest += 1
        self._lines.append(_parsed(self.newest, service, text))

    def after(self, number: int, limit: int) -> list[LogLine]:
        """The newest lines with a higher number, at most `limit`, oldest first."""
        found: list[LogLine] = []
        for line in reversed(self._lines):
            if line.number <= number or len(found) == limit:
                break
            found.append(line)
        return found[::-1]

    def find(
        self,
        *,
        service: str | None = None,
        level: Level = "debug",
        trace_id: str | None = None,
        text: str | None = None,
        before: int | None = None,
    ) -> Iterator[LogLine]:
        """Yield the matching lines, newest first.

        Args:
            service: Only of this service.
            level: Only of this level or a more severe one.
            trace_id: Only of this trace, as 32 digits.
            text: Only lines that contain it, whatever its case.
            before: Only lines with a lower number.
        """
        severity = LEVELS.index(level)
        wanted = text.lower() if text else None
        for line in reversed(self._lines):
            if before is not None and line.number >= before:
                continue
            if service is not None and line.service != service:
                continue
            if LEVELS.index(line.level) < severity:
                continue
            if trace_id is not None and line.trace_id != trace_id:
                continue
            if wanted is None or wanted in line.text.lower():
                yield line


def _parsed(number: int, service: str, text: str) -> LogLine:
    fields = _fields(text)
    level = str(fields.get("level", "info")).lower()
    return LogLine(
        number=number,
        service=service,
        level=next((known for known in LEVELS if known == level), "info"),
        event=str(fields.get("event", text))[:500],
        time=_epoch(fields.get("timestamp")),
        trace_id=_text(fields.get("trace_id")),
        span_id=_text(fields.get("span_id")),
        text=text[:_LONGEST_CHARACTERS],
    )


def _fields(text: str) -> dict[str, Any]:
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        if isinstance(found, dict):
            return found
    return {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _epoch(timestamp: object) -> float:
    try:
        return datetime.fromisoformat(str(timestamp)).timestamp()
    except ValueError:
        return time.time()
