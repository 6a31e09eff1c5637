"""Traces are listed by one row each."""

from collections.abc import Iterator

import pytest

from local.traces.spans import Span
from local.traces.store import TraceStore
from local.traces.summaries import Filter


@pytest.fixture
def store() -> Iterator[TraceStore]:
    store = TraceStore()
    yield store
    store.close()


def span(trace: str, number: int, service: str = "api", **fields: object) -> Span:
    values: dict[str, object] = {"parent_id": "", "name": f"span {number}", "kind": "SERVER"}
    values |= {"start_ns": number * 1_000_000, "end_ns": number * 1_000_000 + 500_000, **fields}
    return Span(trace, f"{trace}-{number}", service=service, **values)  # type: ignore[arg-type]


def request(trace: str, number: int, path: str = "/dev/api/ask", code: int = 200) -> Span:
    attributes = {"http.response.status_code": code}
    name = f"POST {path}"
    return span(trace, number, "gateway", name=name, attributes=attributes)


def ids(store: TraceStore, wanted: Filter) -> list[str]:
    return [one.trace_id for one in store.summaries.page(wanted, 100)]


def test_a_trace_is_named_after_the_request_that_began_it(store: TraceStore) -> None:
    store.add([span("t", 2, parent_id="t-1", status="ERROR")])  # services export first
    store.add([request("t", 1), request("t", 3, "/dev/chat/messages")])
    [summary] = store.summaries.page(Filter(), 10)
    assert (summary.name, summary.status, summary.errors) == ("POST /dev/api/ask", 200, 1)
    assert (summary.start_ns, summary.end_ns) == (1_000_000, 3_500_000)
    assert (summary.spans, summary.services) == (3, ("api", "gateway"))


def test_health_checks_and_what_no_request_began_are_background(store: TraceStore) -> None:
    store.add([request("probe", 1, "/dev/chat/health"), span("scheduled", 2), request("own", 3)])
    assert ids(store, Filter()) == ["own"]
    assert ids(store, Filter(background=True)) == ["own", "scheduled", "probe"]


def test_traces_are_filtered_by_service_outcome_duration_and_route(store: TraceStore) -> None:
    store.add([request("ok", 1), span("ok", 2, "chat", end_ns=900_000_000)])
    store.add([request("refused", 3, code=403), request("failed", 4, "/dev/runner/jobs", 502)])
    store.add([request("inner", 5), span("inner", 6, status="ERROR")])
    expected_error = {"http.response.status_code": 304}
    store.add([request("cached", 7), span("cached", 8, status="ERROR", attributes=expected_error)])
    assert ids(store, Filter(service="chat")) == ["ok"]
    assert ids(store, Filter(service="cha")) == []
    assert ids(store, Filter(outcome="ok")) == ["cached", "ok"]
    assert ids(store, Filter(outcome="refused")) == ["refused"]
    assert ids(store, Filter(outcome="failed")) == ["inner", "failed"]
    assert ids(store, Filter(at_least_ms=100)) == ["ok"]
    assert ids(store, Filter(text="RUNNER/")) == ["failed"]
    assert ids(store, Filter(text="%")) == []
    assert store.summaries.count(Filter(outcome="failed")) == 2


def test_pages_have_every_trace_once(store: TraceStore) -> None:
    store.add([request(f"t{number}", number // 3) for number in range(10)])  # equal times
    pages, before = [], None
    while page := store.summaries.page(Filter(), 3, before):
        pages += [one.trace_id for one in page]
        before = page[-1].start_ns, page[-1].trace_id
    assert len(pages) == 10
    assert set(pages) == {f"t{number}" for number in range(10)}


def test_a_span_that_arrives_twice_is_counted_once(store: TraceStore) -> None:
    store.add([request("t", 1)])
    store.add([request("t", 1)])
    assert [one.spans for one in store.summaries.page(Filter(), 10)] == [1]


def test_traces_are_forgotten_with_their_spans() -> None:
    store = TraceStore(kept_spans=20)
    for number in range(40):
        store.add([request(f"t{number}", number)])
    kept = ids(store, Filter())
    assert kept[0] == "t39"
    assert all(store.trace(one) for one in kept)
    assert len(kept) <= 23
    store.close()
