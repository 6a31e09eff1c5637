"""A page of another origin calls the front door from Chromium: preflights, answers and errors."""

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.conftest import RunningUp

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _PROGRAMS)), None)
_SECONDS = 120

_PAGE = """<!doctype html><meta charset="utf-8"><title>page</title><script type="module">
const {url, key} = CONFIGURATION;
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
  method: "POST", headers: {...json, "idempotency-key": "page"}, body: JSON.stringify({documents}),
});
await call("delete", "/api/documents/from-a-page", {method: "DELETE"});
await call("wrong", "/api/ask", {method: "POST", headers: json, body: "{}"});
await call("refused", "/api/status", {headers: {"x-api-key": "wrong"}});
await call("inner", "/chat/conversations/c");
await fetch("/seen", {method: "POST", body: JSON.stringify(seen)});
</script>"""


@contextmanager
def page(configuration: dict[str, str]) -> Iterator[tuple[str, "queue.Queue[dict[str, Any]]"]]:
    """Serve the page at an origin of its own: its URL, and what it reports."""
    reports: queue.Queue[dict[str, Any]] = queue.Queue()
    content = _PAGE.replace("CONFIGURATION", json.dumps(configuration)).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            reports.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/", reports
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def seen(estate: RunningUp, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page saw of each call."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: set CHROMIUM to its path")
    configuration = {"url": estate.url, "key": estate.variables["INGEST_API_KEY"]}
    with page(configuration) as (url, reports):
        return _visit(CHROMIUM, url, tmp_path_factory.mktemp("chromium"), reports)


def _visit(
    program: str, url: str, folder: Path, reports: "queue.Queue[dict[str, Any]]"
) -> dict[str, Any]:
    output = folder / "output.txt"
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               "--no-first-run", "--disable-background-networking", "--no-proxy-server",
               f"--user-data-dir={folder / 'profile'}"]  # fmt: skip
    with output.open("w") as sink:
        browser = subprocess.Popen([program, *options, url], stdout=sink, stderr=sink)
    try:
        return reports.get(timeout=_SECONDS)
    except queue.Empty:
        raise AssertionError(f"the page reported nothing: {output.read_text()[-3000:]}") from None
    finally:
        browser.terminate()
        browser.wait(timeout=30)


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
