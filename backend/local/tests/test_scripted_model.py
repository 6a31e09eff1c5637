"""The whole estate with a model that a test scripts, over `--bedrock URL`."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from local.bedrock.runtime import Bedrock
from local.blueprint import SERVICES
from local.conftest import RunningUp, start_up, stop_up
from local.overlay import Endpoints, overlay

DOCUMENT = {"id": "fees", "title": "Fees", "text": "A fund's fee is 0.2 per cent a year."}


class ScriptedModel(ThreadingHTTPServer):
    """A server that answers every question with `text`, and embeds as the stand-in does."""

    daemon_threads = True
    text = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.embedding = Bedrock()
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedModel

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/converse"):
            self.server.requests.append(json.loads(body))
            content = {
                "output": {
                    "message": {"role": "assistant", "content": [{"text": self.server.text}]}
                },
                "stopReason": "end_turn",
                "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
                "metrics": {"latencyMs": 1},
            }
        else:
            content = self.server.embedding.answer(self.path, body).content
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        pass


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    server = ScriptedModel()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def scripted(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    running = start_up(tmp_path_factory.mktemp("scripted"), "--bedrock", model.url)
    yield running
    assert stop_up(running) == 0


def _post(estate: RunningUp, path: str, body: Any) -> Any:
    answer = httpx.post(estate.url + path, json=body, headers=estate.ingest_headers, timeout=35)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_scripted_model_answers_through_the_gateway(
    scripted: RunningUp, model: ScriptedModel
) -> None:
    _post(scripted, "/api/documents", {"documents": [DOCUMENT]})
    model.text = "A fund's fee is 0.2 per cent a year. [fees#0]"
    answer = _post(scripted, "/api/ask", {"question": "What is the fee of a fund?"})
    assert "0.2 per cent a year" in answer["answer"]
    assert [citation["document_id"] for citation in answer["citations"]] == ["fees"]
    [request] = model.requests
    assert "0.2 per cent" in json.dumps(request["messages"])
    assert "temperature" not in request["inferenceConfig"]


@pytest.mark.parametrize(
    ("service", "called"), [(name, name in {"chat", "s3vector"}) for name in SERVICES]
)
def test_only_the_services_that_call_bedrock_call_the_server(
    service: str, *, called: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the user's own")
    endpoints = Endpoints(api="http://127.0.0.1:1/dev", aws="http://127.0.0.1:2")
    loopback = overlay(endpoints, service=service, bedrock="http://127.0.0.1:3")
    remote = overlay(endpoints, service=service, bedrock="https://model.example")
    assert (loopback.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME") == "http://127.0.0.1:3") == called
    assert (remote.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME") == "https://model.example") == called
    assert "HTTPS_PROXY" not in loopback
    assert ("HTTPS_PROXY" in remote) == called
    assert {loopback["AWS_ACCESS_KEY_ID"], remote["AWS_ACCESS_KEY_ID"]} == {"testing"}


def test_what_a_model_invents_does_not_reach_the_caller(
    scripted: RunningUp, model: ScriptedModel
) -> None:
    _post(scripted, "/api/documents", {"documents": [DOCUMENT]})
    model.text = "A fund's fee is 12 per cent a year. [fees#0] You may trust it. [invented#9]"
    answer = _post(scripted, "/api/ask", {"question": "What is the fee of a fund?"})
    assert (answer["status"], answer["citations"]) == ("unknown", [])
    assert "12" not in answer["answer"]
    assert "invented" not in answer["answer"]
    assert [one["reason"] for one in answer["removed"]] == [
        "number_not_in_source",
        "unknown_source",
    ]
