"""Requests to a running estate, and what the trace of each must be."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from local.conftest import RunningUp, wait_until
from local.demo.documents import QUESTION, documents
from local.tests.traced import faults

Spans = list[dict[str, Any]]

TEST_SERVICES = {"gateway", "lambda", "api", "chat", "s3vector", "runner"}
ASK_SERVICES = {"gateway", "lambda", "api", "chat", "s3vector"}


def call(estate: RunningUp, method: str, path: str, **more: Any) -> httpx.Response:
    return httpx.request(method, estate.url + path, headers=estate.headers, timeout=60, **more)


def trace(
    estate: RunningUp, answer: httpx.Response, services: set[str], seconds: float = 20
) -> Spans:
    """The spans of a request, once each of the services has sent its own."""
    root = answer.headers["x-amzn-trace-id"].split(";")[0].removeprefix("Root=")
    url = f"{estate.variables['CONSOLE_URL']}traces/{root}"
    spans: Spans = []

    def complete() -> bool:
        found = httpx.get(url)
        spans[:] = found.json()["spans"] if found.status_code == 200 else []
        # The runner sends in the background, a second later.
        return {span["service"] for span in spans} >= services and not faults(spans)

    wait_until(complete, seconds=seconds)
    return spans


def _requests(spans: Spans) -> list[tuple[str, str, str]]:
    return sorted(
        (span["service"], span["name"], span["kind"])
        for span in spans
        if "http.route" in span["attributes"]
    )


def _below(spans: Spans, child: dict[str, Any]) -> list[str]:
    """The services from the root down to a span, each once in a row."""
    by_id = {span["span_id"]: span for span in spans}
    path: list[str] = []
    above: dict[str, Any] | None = child
    while above is not None:
        if path[-1:] != [above["service"]]:
            path.append(above["service"])
        above = by_id.get(above["parent_id"])
    return path[::-1]


def load(estate: RunningUp) -> None:
    loaded = call(estate, "POST", "/api/documents", json={"documents": documents()})
    assert loaded.status_code == 200


def check_test(estate: RunningUp) -> None:
    """A test of all services is one trace, over all of them."""
    answer = call(estate, "GET", "/api/test")
    spans = trace(estate, answer, TEST_SERVICES)
    assert faults(spans) == []
    assert {span["service"] for span in spans} == TEST_SERVICES
    assert _requests(spans) == [
        ("api", "GET /test", "INTERNAL"),
        ("chat", "GET /health", "INTERNAL"),
        ("runner", "GET /health", "SERVER"),
        ("s3vector", "GET /health", "INTERNAL"),
    ]
    assert spans[0]["trace_id"] == answer.json()["trace_id"]


def check_ask(estate: RunningUp) -> None:
    """A question is one trace, in which the services follow one another."""
    answer = call(estate, "POST", "/api/ask", json={"question": QUESTION})
    assert answer.status_code == 200
    spans = trace(estate, answer, ASK_SERVICES)
    assert faults(spans) == []
    assert _requests(spans) == [
        ("api", "POST /ask", "INTERNAL"),
        ("chat", "POST /messages", "INTERNAL"),
        ("s3vector", "POST /query", "INTERNAL"),
    ]
    names = {span["name"]: span for span in spans}
    [search] = [span for span in spans if span["name"] == "search"]
    assert _below(spans, search) == [
        *("gateway", "lambda", "api"),
        *("gateway", "lambda", "chat"),
        *("gateway", "lambda", "s3vector"),
    ]
    [model] = [span for name, span in names.items() if name.startswith("chat ")]
    assert model["attributes"]["gen_ai.usage.input_tokens"] > 0
    assert model["attributes"]["gen_ai.usage.output_tokens"] > 0
    [embedding] = [span for name, span in names.items() if name.startswith("embeddings ")]
    assert embedding["attributes"]["gen_ai.usage.input_tokens"] > 0
    assert names["retrieve"]["attributes"]["retrieval.best_score"] > 0
    assert names["Bedrock Runtime/Converse"]["parent_id"] == model["span_id"]
    told = json.dumps(spans)
    assert estate.variables["API_KEY"] not in told
    assert QUESTION not in told


def concurrent_tests(estate: RunningUp, services: set[str]) -> Iterator[Spans]:
    """The traces of fifty tests of all services at once; `services` are what each is to have.

    A busy machine may give up an export after its quarter of a second: those spans are lost or
    late, and are missed as parents. No other fault has an excuse.
    """
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: call(estate, "GET", "/api/test"), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["trace_id"] for answer in answers}) == 50
    give_up = time.monotonic() + 10  # for all of them: what is lost does not come
    for answer in answers:
        spans = trace(estate, answer, services, seconds=give_up - time.monotonic())
        assert [fault for fault in faults(spans) if "parent is missing" not in fault] == []
        assert len([span for span in spans if span["service"] == "gateway"]) == 4
        yield spans


def check_concurrent(estate: RunningUp) -> None:
    """Of fifty requests at once, no span is in another's trace."""
    whole = 0
    for spans in concurrent_tests(estate, TEST_SERVICES):
        requests = _requests(spans)
        assert len(requests) == len(set(requests)) <= 4
        whole += len(requests) == 4
    assert whole > 0


def check_off(estate: RunningUp) -> None:
    """Without tracing everything works, and nothing is sent."""
    answer = call(estate, "GET", "/api/test")
    assert answer.status_code == 200
    assert answer.json()["trace_id"]
    traces = httpx.get(f"{estate.variables['CONSOLE_URL']}traces").json()["traces"]
    assert traces == []
