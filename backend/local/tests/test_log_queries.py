"""The queries of docs/logs.md return what they promise on the log lines of a running estate."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.blueprint import SERVICES
from local.conftest import RunningUp
from local.demo.documents import QUESTION, documents
from local.tests.insights import run, value

_PAGE = Path(__file__).parents[3] / "docs" / "logs.md"
_QUERIES = dict(
    re.findall(r"^### (.+?)\n\n```\n(.+?)\n```$", _PAGE.read_text(), re.MULTILINE | re.DOTALL)
)
# No request of a healthy estate logs this line, so the queries get it from here. test_middleware
# checks that a service logs these fields.
_FAILED_REQUEST: list[dict[str, Any]] = [
    {
        "event": "request_failed",
        "level": "error",
        "service": "api",
        "environment": "dev",
        "method": "GET",
        "path": "/x",
        "status": 500,
        "duration": 0.1,
        "request_id": "r",
        "xray_trace_id": "1-a-b",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "exception": [{"type": "RuntimeError", "message": "a bug", "frames": []}],
    }
]


class Logged:
    """All log lines of the estate after one question, and the question's ids."""

    def __init__(self, estate: RunningUp) -> None:
        options: dict[str, Any] = {"headers": estate.ingest_headers, "timeout": 60}
        url = f"{estate.url}/api"
        httpx.post(f"{url}/documents", json={"documents": documents()}, **options)
        answer = httpx.post(f"{url}/ask", json={"question": QUESTION}, **options)
        assert answer.status_code == 200
        httpx.post(f"{url}/ask", json={"question": "What is the boiling point of iron?"}, **options)
        httpx.get(
            f"{url}/ingestions/no-such-job", **options
        )  # refused, so that a line has a reason
        self.request_id = answer.headers["x-request-id"]
        self.xray_trace_id = answer.headers["x-amzn-trace-id"].split(";")[0].removeprefix("Root=")
        self.lines: list[dict[str, Any]] = [
            json.loads(line)
            for service in SERVICES
            for line in estate.log(service).splitlines()
            if line.startswith("{")
        ]

    def ask(self, title: str) -> list[dict[str, Any]]:
        query = _QUERIES[title].replace("XRAY_TRACE_ID", self.xray_trace_id)
        return run(query.replace("REQUEST_ID", self.request_id), self.lines + _FAILED_REQUEST)


@pytest.fixture(scope="module")
def logged(estate: RunningUp) -> Logged:
    return Logged(estate)


def test_there_are_the_queries_that_are_asked_for() -> None:
    assert {
        *("One request", "One trace", "The slowest requests", "Errors by service"),
    } <= _QUERIES.keys()


@pytest.mark.parametrize("title", _QUERIES)
def test_a_query_finds_something_and_every_field_of_it_exists(logged: Logged, title: str) -> None:
    query = _QUERIES[title]
    assert logged.ask(title), "no line matches"
    names = set(re.findall(r"[A-Za-z@_][\w.@]*", re.sub(r'"[^"]*"', "", query)))
    words = {"filter", "fields", "sort", "limit", "stats", "by", "as", "and", "in", "asc", "desc"}
    words |= {"count", "max", "min", "sum", "pct", "bin", "h", "d"}
    words |= set(re.findall(r" as (\w+)", query))
    for field in names - words:
        lines = logged.lines + _FAILED_REQUEST
        assert any(value(line, field) is not None for line in lines), f"no line has {field}"


def test_one_request_is_every_line_of_all_services_under_its_id(logged: Logged) -> None:
    rows = logged.ask("One request")
    assert {row["request_id"] for row in rows} == {logged.request_id}
    assert {row["service"] for row in rows} == {"api", "chat", "s3vector"}
    assert {"request_started", "request_completed"} <= {row["event"] for row in rows}


def test_one_trace_is_the_request_with_its_spans(logged: Logged) -> None:
    rows = logged.ask("One trace")
    assert {row["service"] for row in rows} == {"api", "chat", "s3vector"}
    assert {row["request_id"] for row in rows if row["request_id"]} == {logged.request_id}
    assert all(row["span_id"] for row in rows if row["event"].startswith("request_"))
    assert rows == sorted(rows, key=lambda row: str(row["timestamp"]))


def test_the_slowest_come_first(logged: Logged) -> None:
    durations = [row["duration"] for row in logged.ask("The slowest requests")]
    assert durations == sorted(durations, reverse=True)
    assert len(durations) <= 25


def test_errors_are_counted_by_service(logged: Logged) -> None:
    rows = logged.ask("Errors by service")
    assert all(row["status"] >= 500 and row["errors"] >= 1 for row in rows)


def test_tokens_are_summed_by_service(logged: Logged) -> None:
    rows = {row["Service"]: row for row in logged.ask("Tokens by day")}
    assert rows["chat"]["read"] > 0
    assert rows["chat"]["written"] > 0
    assert rows["s3vector"]["read"] > 0
