"""`POST /ask/stream` through the whole estate: units while the model writes, and every cut."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from local.aws.bedrock_api import BedrockApi
from local.aws.server import EmbeddedAws
from local.compute.processes import BACKEND
from local.conftest import RunningUp, start_up, stop_up
from local.demo.documents import documents
from local.tests.paused_bedrock import MORE, PausedBedrock
from shared.events.stream import Event, EventReader

QUESTION = {"question": "How large should an emergency fund be?"}
SECONDS = 60


@pytest.fixture(scope="module")
def bedrock() -> Iterator[tuple[PausedBedrock, str]]:
    paused = PausedBedrock()
    aws = EmbeddedAws([BedrockApi(paused)])
    aws.serve()
    yield paused, aws.url
    aws.stop()


@pytest.fixture(scope="module")
def estate(
    bedrock: tuple[PausedBedrock, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningUp]:
    folder = tmp_path_factory.mktemp("streams")
    running = start_up(folder, "--tracing", "off", "--bedrock", bedrock[1], seconds=120)
    stored = [one for one in documents() if one["id"] == "emergency-fund"]
    answer = httpx.post(
        f"{running.url}/api/documents",
        json={"documents": stored},
        headers=running.ingest_headers,
        timeout=SECONDS,
    )
    assert answer.status_code == 200, answer.text
    yield running
    assert stop_up(running) == 0


@pytest.fixture
def paused(bedrock: tuple[PausedBedrock, str]) -> Iterator[PausedBedrock]:
    bedrock[0].go_on.clear()
    yield bedrock[0]
    bedrock[0].go_on.set()
    bedrock[0].breaks_off = False


class Asked:
    """The answer to a question while it is streamed."""

    def __init__(self, response: httpx.Response) -> None:
        self._pieces = response.iter_bytes()
        self._reader = EventReader()
        self.events: list[Event] = []

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    def read_until(self, name: str) -> None:
        while name not in self.names:
            self.events += self._reader.feed(next(self._pieces))

    def read_rest(self) -> bool:
        """Read to the end; return whether the connection was cut."""
        try:
            for piece in self._pieces:
                self.events += self._reader.feed(piece)
        except httpx.TransportError:
            return True
        return False


@contextmanager
def asked(estate: RunningUp, path: str = "/api/ask/stream", **more: Any) -> Iterator[Asked]:
    options: dict[str, Any] = {"json": QUESTION, "headers": estate.headers, "timeout": SECONDS}
    with httpx.stream("POST", f"{estate.url}{path}", **options | more) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Asked(response)


def order(estate: RunningUp, fault: str | None) -> None:
    url = f"{estate.variables['CONSOLE_URL']}faults"
    httpx.delete(url, headers=estate.headers, timeout=SECONDS).raise_for_status()
    if fault:
        answer = httpx.post(url, json={"fault": fault}, headers=estate.headers, timeout=SECONDS)
        answer.raise_for_status()


def test_units_come_while_the_model_writes_and_done_is_the_whole_answer(
    estate: RunningUp, paused: PausedBedrock
) -> None:
    with asked(estate) as answer:
        answer.read_until("unit")
        assert "done" not in answer.names
        paused.go_on.set()
        assert not answer.read_rest()
    assert answer.names[:2] == ["status", "status"]
    assert answer.names[-1] == "done"
    done = json.loads(answer.events[-1].data)
    units = [json.loads(one.data) for one in answer.events if one.name == "unit"]
    assert "".join(unit["text"] for unit in units) == done["answer"]
    assert done["citations"]
    assert MORE.strip()[:30] not in done["answer"]
    kept = httpx.get(
        f"{estate.url}/api/conversations/{done['conversation_id']}",
        headers=estate.headers,
        timeout=SECONDS,
    ).json()
    assert [turn["answer"]["answer"] for turn in kept["turns"]] == [done["answer"]]
    assert done["request_id"]


@pytest.mark.parametrize("service", ["api", "chat"])
def test_a_killed_function_is_seen_as_an_error_or_a_cut(
    service: str, estate: RunningUp, paused: PausedBedrock
) -> None:
    with asked(estate) as answer:
        answer.read_until("unit")
        for pid in estate.children(f"{service}.handler"):
            os.kill(pid, signal.SIGKILL)
        was_cut = answer.read_rest()
    assert "done" not in answer.names
    assert was_cut == (service == "api")
    assert was_cut or answer.names[-1] == "error"


def test_a_model_that_breaks_off_is_an_error(estate: RunningUp, paused: PausedBedrock) -> None:
    paused.breaks_off = True
    with asked(estate) as answer:
        assert not answer.read_rest()
    assert answer.names[-1] == "error"
    assert "done" not in answer.names


@pytest.mark.parametrize(
    ("fault", "was_cut"),
    [("gateway:truncate,times=1", True), ("api:truncate", True), ("chat:truncate", False)],
)
def test_a_stream_that_a_fault_cuts_is_never_a_whole_answer(
    fault: str, was_cut: bool, estate: RunningUp
) -> None:
    order(estate, fault)
    try:
        with asked(estate) as answer:
            assert answer.read_rest() == was_cut
    finally:
        order(estate, None)
    assert "done" not in answer.names
    assert was_cut or answer.names[-1] == "error"


def test_a_refused_request_is_json_with_its_own_status(estate: RunningUp) -> None:
    url = f"{estate.url}/api/ask/stream"
    wrong = httpx.post(url, json={}, headers=estate.headers, timeout=SECONDS)
    assert (wrong.status_code, wrong.json()["error"]) == (422, "unprocessable")
    unknown = httpx.post(
        url,
        json=QUESTION | {"conversation_id": "c_unknown"},
        headers=estate.headers,
        timeout=SECONDS,
    )
    assert (unknown.status_code, unknown.json()["error"]) == (404, "not_found")
    refused = httpx.post(url, json=QUESTION, timeout=SECONDS)
    assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})


def test_the_example_of_the_documentation_prints_the_answer(estate: RunningUp) -> None:
    page = (BACKEND.parent / "docs/streaming.md").read_text("utf-8")
    [example] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example],
        env={**os.environ, **estate.variables, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "emergency fund" in done.stdout
