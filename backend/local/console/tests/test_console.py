"""The console's page and API, over parts without processes."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.conftest import serve
from local.console.app import create_app
from local.console.console import Console
from local.console.parts import Parts
from local.console.routes import TOKEN_HEADER
from local.console.tests.estate_parts import KEYS, parts
from local.demo import documents as demo
from local.net.serving import Receive, Scope, Send, read_body, respond
from local.traces.spans import Span

pytestmark = pytest.mark.anyio

JSON = [("content-type", "application/json")]
WEB = Path(__file__).resolve().parents[1] / "web"
ANSWER = {"answer": "A fee is 0.2 per cent [1]. It is low.", "removed": [{"sentence": "Buy."}]}


type Make = Callable[..., Parts]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes parts, whose gateway is at the given URL."""
    made: list[Parts] = []

    def new(*gateway_url: str) -> Parts:
        made.append(parts(tmp_path, *gateway_url))
        return made[-1]

    yield new
    for one in made:
        one.traces.close()
        one.logs.close()


@asynccontextmanager
async def served(estate: Parts) -> AsyncIterator[httpx.AsyncClient]:
    console = Console(estate)
    async with serve(console) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        try:
            yield client
        finally:
            await console.close()


async def token(client: httpx.AsyncClient) -> dict[str, str]:
    page = (await client.get("/")).text
    found = re.search('name="console-token" content="([^"]+)"', page)
    assert found is not None
    return {TOKEN_HEADER: found[1]}


class GatewayStandIn:
    """Answers each `METHOD path` with a status and a body, and records the requests."""

    def __init__(self, answers: dict[str, tuple[int, Any]]) -> None:
        self.answers = answers
        self.seen: list[tuple[str, dict[bytes, bytes], bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = f"{scope['method']} {scope['path']}"
        body = await read_body(receive, limit_bytes=1_000_000)
        self.seen.append((name, dict(scope["headers"]), body))
        status, content = self.answers.get(name, (404, {"error": "not_found", "detail": "no"}))
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        await respond(send, status, JSON, raw)


async def asked(estate: Parts) -> list[tuple[str, Any]]:
    """The events of the answer to a question."""
    async with served(estate) as client:
        body = {"question": "What is the fee?"}
        answer = await client.post("/console/api/ask", json=body, headers=await token(client))
    assert answer.headers["content-type"].startswith("text/event-stream")
    pairs = re.findall(r"event: (.*)\ndata: (.*)\n\n", answer.text)
    return [(name, json.loads(data)) for name, data in pairs]


async def test_the_page_may_load_nothing_from_elsewhere(make: Make) -> None:
    async with served(make()) as client:
        page = await client.get("/")
        script = await client.get("/console/assets/console.js")
        again = await client.get(script.url, headers={"if-none-match": script.headers["etag"]})
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert "http" not in re.sub(r"<meta[^>]+>", "", page.text)
    assert script.headers["content-type"].startswith("text/javascript")
    assert again.status_code == 304


async def test_no_key_reaches_the_page(make: Make) -> None:
    paths = ["/", "/console/api/estate", "/console/api/openapi.json", "/console/assets/console.js"]
    async with served(make()) as client:
        texts = [(await client.get(path)).text for path in paths]
    assert not [key for key in KEYS.values() for text in texts if key in text]


async def test_without_the_page_s_token_nothing_is_changed(make: Make) -> None:
    estate = make()
    document = create_app(None, "").openapi()
    changes = [
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method != "get"
    ]
    async with served(estate) as client:
        for method, path in changes:
            for headers in ({}, {TOKEN_HEADER: "wrong"}):
                answer = await client.request(method, path, headers=headers)
                assert answer.status_code == 403, (method, path)
                assert "reload the page" in answer.json()["detail"]
    assert len(changes) >= 7
    assert estate.faults.as_dict()["faults"] == []


async def test_a_body_that_is_too_long_is_refused(make: Make) -> None:
    async with served(make()) as client:
        content = b'{"fault": "' + b"x" * 70_000
        headers = {**await token(client), "content-type": "application/json"}
        answer = await client.post("/console/api/faults", content=content, headers=headers)
    assert answer.status_code == 413


async def test_a_fault_is_switched_on_and_off(make: Make) -> None:
    async with served(make()) as client:
        headers, url = await token(client), "/console/api/faults"
        for fault in ("s3:error=503", "chat:reset"):
            await client.post(url, json={"fault": fault}, headers=headers)
        one = await client.delete(url, params={"fault": "s3:error=503"}, headers=headers)
        wrong = await client.post(url, json={"fault": "moon:reset"}, headers=headers)
        absent = await client.delete(url, params={"fault": "s3:reset"}, headers=headers)
        none = await client.delete(url, headers=headers)
    assert one.json()["ordered"] == ["chat:reset"]
    assert (wrong.status_code, absent.status_code) == (400, 404)
    assert "'moon' is not one of" in wrong.json()["detail"]
    assert none.json()["ordered"] == []


async def test_where_the_gateway_streams_the_events_are_passed_on(make: Make) -> None:
    stream = b'event: unit\ndata: {"text": "A."}\n\nevent: done\ndata: {"answer": "A."}\n\n'
    gateway = GatewayStandIn({"POST /dev/api/ask/stream": (200, stream)})
    async with serve(gateway) as url:
        events = await asked(make(f"{url}/dev"))
    assert [name for name, _ in events] == ["trace", "unit", "done"]
    [(_, headers, _)] = gateway.seen
    assert headers[b"x-api-key"].decode() == KEYS["client"]
    assert events[0][1]["trace_id"] in headers[b"x-amzn-trace-id"].decode().replace("-", "")


@pytest.mark.parametrize(
    "absent", [(404, {"error": "not_found"}), (403, {"message": "Missing Authentication Token"})]
)
async def test_where_it_does_not_the_whole_answer_comes_in_units(
    make: Make, absent: tuple[int, Any]
) -> None:
    answers = {"POST /dev/api/ask/stream": absent, "POST /dev/api/ask": (200, ANSWER)}
    async with serve(GatewayStandIn(answers)) as url:
        events = await asked(make(f"{url}/dev"))
    units = [content["text"] for name, content in events if name == "unit"]
    assert units == ["A fee is 0.2 per cent [1].", " It is low."]
    assert events[-2:] == [("removed", {"sentence": "Buy."}), ("done", ANSWER)]


@pytest.mark.parametrize(
    ("answers", "detail"),
    [
        ({"POST /dev/api/ask/stream": (403, {"message": "Forbidden"})}, "answered 403: Forbidden"),
        ({"POST /dev/api/ask": (503, {"error": "x", "detail": "Bedrock is busy."})}, "Bedrock is"),
        ({"POST /dev/api/ask": (200, b"<html>")}, "not JSON"),
    ],
)
async def test_a_question_that_fails_ends_with_the_reason(
    make: Make, answers: dict[str, tuple[int, Any]], detail: str
) -> None:
    async with serve(GatewayStandIn(answers)) as url:
        events = await asked(make(f"{url}/dev"))
    assert events[-1][0] == "error"
    assert detail in events[-1][1]["detail"]


async def test_a_gateway_that_is_gone_is_an_error_and_not_a_crash(make: Make) -> None:
    estate = make()
    events = await asked(estate)
    assert "did not answer" in events[-1][1]["detail"]
    async with served(estate) as client:
        answer = await client.get("/console/api/documents")
    assert (answer.status_code, answer.json()["error"]) == (502, "gateway_unreachable")


async def test_documents_are_deleted_with_the_ingest_key(make: Make) -> None:
    gateway = GatewayStandIn({"DELETE /dev/api/documents/a": (204, b"")})
    async with serve(gateway) as url, served(make(f"{url}/dev")) as client:
        answer = await client.delete("/console/api/documents/a", headers=await token(client))
    assert answer.status_code == 204
    assert gateway.seen[0][1][b"x-api-key"].decode() == KEYS["ingest"]


@pytest.mark.parametrize(
    ("documents", "is_empty"), [((200, {"documents": []}), True), ((503, {}), None)]
)
async def test_the_sample_documents_are_stored_in_batches_with_the_ingest_key(
    make: Make, documents: tuple[int, Any], is_empty: bool | None
) -> None:
    answers = {
        "GET /dev/api/documents": documents,
        "POST /dev/api/documents": (200, {"passages": 5}),
    }
    gateway = GatewayStandIn(answers)
    async with serve(gateway) as url, served(make(f"{url}/dev")) as client:
        state = (await client.get("/console/api/samples")).json()
        answer = await client.post("/console/api/samples", headers=await token(client))
    total = len(demo.documents())
    assert state == {"count": total, "is_store_empty": is_empty}
    *progress, (last, content) = re.findall(r"event: (.*)\ndata: (.*)\n\n", answer.text)
    assert (last, json.loads(content)["stored"]) == ("done", total)
    assert {name for name, _ in progress} == {"progress"}
    stored = [(headers, body) for name, headers, body in gateway.seen if name.startswith("POST")]
    assert {headers[b"x-api-key"].decode() for headers, _ in stored} == {KEYS["ingest"]}
    sent = [one for _, body in stored for one in json.loads(body)["documents"]]
    assert sent == demo.documents()
    assert len(stored) == len(progress) + 1


async def test_sample_documents_that_are_refused_end_with_the_reason(make: Make) -> None:
    gateway = GatewayStandIn({"POST /dev/api/documents": (503, {"error": "x", "detail": "full"})})
    async with serve(gateway) as url, served(make(f"{url}/dev")) as client:
        answer = await client.post("/console/api/samples", headers=await token(client))
    assert re.findall(r"event: (.*)\ndata: (.*)\n", answer.text) == [
        ("error", '{"error": "x", "detail": "full"}')
    ]


async def test_scores_that_the_search_does_not_report_are_null(make: Make) -> None:
    passage = {"document_id": "a", "passage_id": "a#0", "text": "x", "score": 0.5}
    found = {"passages": [{**passage, "lexical": 2.5, "metadata": {"first_page": 3}}]}
    gateway = GatewayStandIn({"POST /dev/api/search": (200, found)})
    async with serve(gateway) as url, served(make(f"{url}/dev")) as client:
        headers = await token(client)
        answer = await client.post("/console/api/search", json={"text": "x"}, headers=headers)
    [one] = answer.json()["passages"]
    assert one["scores"] == {"dense": 0.5, "lexical": 2.5, "fused": None}
    assert one["page"] == 3


@pytest.mark.parametrize("name", ["note.exe", "../note.md", "", "note", "a" * 350 + ".md"])
async def test_a_file_that_cannot_be_ingested_is_refused(make: Make, name: str) -> None:
    async with served(make()) as client:
        headers = await token(client)
        url = "/console/api/uploads"
        answer = await client.post(url, params={"name": name}, content=b"x", headers=headers)
        assert answer.status_code == 400, answer.text
        assert (await client.get(url)).json() == []


async def test_a_trace_is_shown_with_its_log_lines(make: Make) -> None:
    estate = make()
    trace = "a" * 32
    spans = [
        Span(trace, "1" * 16, "", "gateway", "POST /dev/api/ask", "SERVER", 5_000_000, 9_000_000),
        Span(trace, "2" * 16, "1" * 16, "api", "POST /ask", "INTERNAL", 6_000_000, 8_000_000),
    ]
    async with served(estate) as client:
        estate.traces.add(spans)
        line = {"event": "request_completed", "level": "info", "trace_id": trace}
        estate.logs["api"].write(json.dumps({**line, "span_id": "2" * 16}).encode())
        estate.logs["api"].write(b"a plain line")
        found = (await client.get(f"/console/api/traces/{trace}")).json()
        lines = (await client.get("/console/api/logs")).json()["lines"]
        absent = await client.get("/console/api/traces/0")
        cursor = await client.get("/console/api/traces?cursor=x")
    assert [(one["start_ms"], one["duration_ms"]) for one in found["spans"]] == [(0, 4), (1, 2)]
    assert [one["span_id"] for one in found["lines"]] == ["2" * 16]
    assert [one["event"] for one in lines] == ["a plain line", "request_completed"]
    assert (absent.status_code, cursor.status_code) == (404, 400)


async def test_the_stream_says_what_changes_and_ends_with_the_console(make: Make) -> None:
    estate = make()
    console = Console(estate)
    names: list[str] = []
    async with (
        serve(console) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as client,
        client.stream("GET", "/console/events") as answer,
    ):
        async for line in answer.aiter_lines():
            names += [line.removeprefix("event: ")] if line.startswith("event: ") else []
            if line == "event: uploads":
                estate.logs["chat"].write(b"hello")
            if line == "event: logs":
                await console.close()
    assert set(names) == {"estate", "traces", "uploads", "logs"}


def test_the_committed_api_document_is_the_application_s() -> None:
    committed = json.loads((WEB / "openapi.json").read_text())
    message = "run `./pants run backend/local/console:describe`, then build-support/web:build"
    assert committed == json.loads(json.dumps(create_app(None, "").openapi())), message
