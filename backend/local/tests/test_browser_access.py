"""A page of another origin calls the front door from Chromium: preflights, answers and errors."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from local.conftest import RunningUp
from local.console.tests.browser import PROGRAMS, launched, program

_CALLS = """async ({url, key}) => {
  const seen = {};
  async function call(name, path, options = {}) {
    try {
      const answer = await fetch(url + path, {
        ...options, headers: {"x-api-key": key, ...options.headers},
      });
      const text = await answer.text();
      seen[name] = {
        status: answer.status,
        body: text ? JSON.parse(text) : null,
        location: answer.headers.get("location"),
        requestId: answer.headers.get("x-request-id"),
      };
    } catch (error) {
      seen[name] = {failed: String(error)};
    }
  }
  const json = {"content-type": "application/json"};
  const documents = [{id: "from-a-page", text: "Bonds pay interest."}];
  await call("read", "/api/status");
  await call("ingest", "/api/ingestions", {
    method: "POST", headers: {...json, "idempotency-key": "page"},
    body: JSON.stringify({documents}),
  });
  await call("delete", "/api/documents/from-a-page", {method: "DELETE"});
  await call("wrong", "/api/ask", {method: "POST", headers: json, body: "{}"});
  await call("refused", "/api/status", {headers: {"x-api-key": "wrong"}});
  await call("inner", "/chat/conversations/c");
  return seen;
}"""


@contextmanager
def another_origin() -> Iterator[str]:
    """Serve an empty page at an origin of its own: its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def seen(estate: RunningUp, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page saw of each call."""
    path = program()
    if path is None:
        pytest.skip(f"needs {' or '.join(PROGRAMS)}")
    configuration = {"url": estate.url, "key": estate.variables["INGEST_API_KEY"]}
    with another_origin() as url, launched(path, tmp_path_factory.mktemp("home")) as browser:
        page = browser.new_page()
        page.goto(url)
        found: dict[str, Any] = page.evaluate(_CALLS, configuration)
    return found


def test_a_page_reads_an_answer(seen: dict[str, Any]) -> None:
    assert seen["read"]["status"] == 200
    assert seen["read"]["body"]["service"] == "api"
    assert seen["read"]["requestId"]


def test_a_page_starts_work_that_it_may_repeat(seen: dict[str, Any]) -> None:
    assert seen["ingest"]["status"] == 202
    assert seen["ingest"]["location"] == f"ingestions/{seen['ingest']['body']['id']}"


def test_a_page_deletes(seen: dict[str, Any]) -> None:
    assert seen["delete"]["status"] in {204, 404}


def test_a_page_reads_the_errors_of_the_service_and_of_the_gateway(seen: dict[str, Any]) -> None:
    assert seen["wrong"]["status"] == 422
    assert seen["wrong"]["body"]["error"] == "unprocessable"
    assert (seen["refused"]["status"], seen["refused"]["body"]) == (403, {"message": "Forbidden"})
    assert seen["refused"]["requestId"]


def test_a_page_cannot_call_a_service_behind_the_front_door(seen: dict[str, Any]) -> None:
    assert "failed" in seen["inner"]
