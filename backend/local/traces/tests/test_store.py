"""The store returns what was added, newest first, and deletes the oldest above its limit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.traces.spans import Span
from local.traces.store import TraceStore
from local.traces.tests.example_spans import TRACE, span


@pytest.fixture
def store() -> Iterator[TraceStore]:
    made = TraceStore()
    yield made
    made.close()


def test_a_trace_is_found_by_either_form_of_its_id(store: TraceStore) -> None:
    stored = span(attributes={"a": [1, "b", None]}, events=[{"name": "e"}])
    store.add([stored])
    assert store.trace(TRACE) == [stored]
    assert store.trace("1-5759e988-bd862e3fe1be46a994272793") == [stored]
    assert store.trace("f" * 32) == []


def test_spans_are_sorted_by_start_time(store: TraceStore) -> None:
    store.add([span(3), span(1), span(2)])
    assert [one.name for one in store.trace(TRACE)] == ["span 1", "span 2", "span 3"]


def test_summaries_are_the_latest_first(store: TraceStore) -> None:
    store.add([span(1), span(2, service="chat", parent_id=f"{1:016x}", status="ERROR")])
    store.add([span(9, trace_id="f" * 32)])
    latest, first = store.latest()
    assert latest["trace_id"] == "f" * 32
    assert first == {
        "trace_id": TRACE,
        "xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        "name": "span 1",
        "started_at": 0.001,
        "duration_ms": 1.5,
        "spans": 2,
        "errors": 1,
        "services": ["api", "chat"],
    }
    assert len(store.latest(1)) == 1


def test_duplicate_spans_are_counted(store: TraceStore) -> None:
    store.add([span(1), span(2)])
    assert store.received_twice() == []
    store.add([span(1)])
    assert store.received_twice() == [("api", "span 1")]
    assert len(store.trace(TRACE)) == 2


def test_the_oldest_are_deleted_above_the_limit() -> None:
    store = TraceStore(kept_spans=100)
    for number in range(1000):
        store.add([span(number, trace_id=f"{number:032x}")])
    kept = store.latest(1000)
    assert len(kept) <= 111
    assert kept[0]["name"] == "span 999"
    store.close()


def test_traces_outlive_a_restart(tmp_path: Path) -> None:
    for expected in (0, 1):
        store = TraceStore(tmp_path / "traces.sqlite")
        assert len(store.trace(TRACE)) == expected
        store.add([span()])
        store.close()


def test_a_listener_is_called_with_added_spans(store: TraceStore) -> None:
    received: list[Span] = []
    store.on_spans(received.extend)
    store.add(iter([span(1), span(2)]))
    assert [one.name for one in received] == ["span 1", "span 2"]


def test_a_full_disk_loses_spans_and_is_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = TraceStore(tmp_path / "traces.sqlite")
    store.add([span(trace_id="1" * 32)])
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {pages}")  # SQLite then says "disk is full"
    many = [span(number, trace_id="2" * 32) for number in range(1, 1000)]
    store.add(many)
    store.add(many)
    assert [record.getMessage() for record in caplog.records] == [
        "spans are lost: database or disk is full"
    ]
    store._database.execute("PRAGMA max_page_count = 1000000")
    store.add(many)
    assert (len(store.trace("1" * 32)), len(store.trace("2" * 32))) == (1, 999)
    assert store._database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.close()
