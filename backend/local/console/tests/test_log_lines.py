"""Log lines are parsed, kept and found."""

import json
from typing import Any

from local.console.log_lines import LogLines


def record(**fields: Any) -> str:
    return json.dumps({"event": "done", "level": "info", **fields})


def test_lines_are_found_by_service_level_trace_and_text() -> None:
    lines = LogLines()
    lines.add("api", record(trace_id="t1", path="/ask"))
    lines.add("chat", record(level="error", event="model_failed", trace_id="t1"))
    lines.add("chat", record(trace_id="t2"))
    lines.add("chat", "Traceback (most recent call last):")

    def numbers(**wanted: Any) -> list[int]:
        return [line.number for line in lines.find(**wanted)]

    assert numbers() == [4, 3, 2, 1]
    assert numbers(service="chat") == [4, 3, 2]
    assert numbers(level="warning") == [2]
    assert numbers(trace_id="t1") == [2, 1]
    assert numbers(text="MODEL_f") == [2]
    assert numbers(before=3) == [2, 1]


def test_whatever_a_service_prints_is_a_line() -> None:
    lines = LogLines()
    for text in ("", "{", "[1]", '{"level": 5, "timestamp": "never"}', "{" * 100_000):
        lines.add("api", text)
    found = list(lines.find())
    assert {line.level for line in found} == {"info"}
    assert max(len(line.text) for line in found) == 20_000
    assert all(line.time > 0 for line in found)


def test_only_the_latest_lines_are_kept_and_their_numbers_go_on() -> None:
    lines = LogLines(kept=3)
    for number in range(5):
        lines.add("api", str(number))
    assert [line.number for line in lines.find()] == [5, 4, 3]
    assert [line.number for line in lines.after(0, 2)] == [4, 5]
    assert lines.after(5, 2) == []
