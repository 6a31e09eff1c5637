"""Real server processes, also killed ones, with a real S3 server and a gateway on a real socket."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from runner.tests.fakes import Store
from runner.tests.instances import Server, ingest_with_kills, wait_until

MakeServer = Callable[..., Server]
DOCUMENTS = {"documents": [{"id": f"doc-{number:02}", "text": "Text."} for number in range(16)]}


@pytest.fixture
def make_server(environment: dict[str, str], tmp_path: Path) -> Iterator[MakeServer]:
    servers: list[Server] = []

    def make(**more: str) -> Server:
        log = tmp_path / f"{len(servers)}.log"
        servers.append(Server.started(log, {**environment, "BATCH_DOCUMENTS": "1", **more}))
        return servers[-1]

    yield make
    for server in servers:
        server.kill()


def test_a_killed_instance_loses_nothing_and_another_continues(
    make_server: MakeServer, gateway: Store
) -> None:
    bounds = {"SLICE_LIMIT_SECONDS": "6", "LEASE_GRACE_SECONDS": "0"}
    first, second = make_server(**bounds), make_server(**bounds)
    first.wait_ready()
    second.wait_ready()
    gateway.slow = 0.1
    job = first.call("POST", "/jobs", json=DOCUMENTS).json()

    running = first.run_in_background(job["id"])
    wait_until(lambda: len(gateway.puts) >= 5)
    first.process.send_signal(signal.SIGKILL)
    running.join()
    assert isinstance(first.answers[0], Exception)

    waiting = second.call("POST", f"/jobs/{job['id']}/run")
    assert waiting.json()["state"] == "running"
    assert 1 <= int(waiting.headers["retry-after"]) <= 6

    def finished() -> bool:
        return bool(second.call("POST", f"/jobs/{job['id']}/run").json()["state"] == "succeeded")

    wait_until(finished)
    final = second.call("GET", f"/jobs/{job['id']}").json()
    assert (final["total"], final["done"], final["failed"]) == (16, 16, 0)
    assert sorted(gateway.documents) == [f"doc-{number:02}" for number in range(16)]
    # Only the batch that was in flight at the kill is sent again.
    assert len(gateway.puts) <= 17


def test_each_document_is_stored_once_however_often_instances_are_killed(
    make_server: MakeServer, gateway: Store
) -> None:
    documents = [{"id": f"doc-{number:03}", "text": "Text."} for number in range(200)]
    bounds = {"BATCH_DOCUMENTS": "5", "SLICE_LIMIT_SECONDS": "1.5", "LEASE_GRACE_SECONDS": "0"}
    gateway.slow = 0.02
    job = ingest_with_kills(
        lambda: make_server(**bounds), gateway, {"documents": documents}, documents=200, kills=5
    )
    assert (job["state"], job["done"], job["failed"]) == ("succeeded", 200, 0)
    assert sorted(gateway.documents) == [document["id"] for document in documents]
    # Only the batch that was in flight at each kill is sent again.
    assert sum(map(len, gateway.puts)) <= 200 + 5 * 5


def test_two_instances_that_race_work_one_at_a_time(
    make_server: MakeServer, gateway: Store
) -> None:
    servers = [make_server(), make_server()]
    for server in servers:
        server.wait_ready()
    gateway.slow = 0.02
    job = servers[0].call("POST", "/jobs", json=DOCUMENTS).json()
    threads = [server.run_in_background(job["id"]) for server in servers * 3]
    for thread in threads:
        thread.join()

    assert gateway.most_at_once == 1
    assert len(gateway.puts) == 16
    answers = [answer for server in servers for answer in server.answers]
    assert {getattr(answer, "status_code", answer) for answer in answers} == {200}
    assert servers[0].call("GET", f"/jobs/{job['id']}").json()["state"] == "succeeded"


def test_sigterm_drains_and_the_job_is_free_at_once(
    make_server: MakeServer, gateway: Store
) -> None:
    first, second = make_server().wait_ready(), make_server().wait_ready()
    gateway.slow = 0.1
    job = first.call("POST", "/jobs", json=DOCUMENTS).json()
    running = first.run_in_background(job["id"])
    wait_until(lambda: len(gateway.puts) >= 3)
    first.process.send_signal(signal.SIGTERM)
    running.join()

    drained = first.answers[0]
    assert isinstance(drained, httpx.Response)
    assert (drained.status_code, drained.json()["state"]) == (200, "running")
    assert 3 <= drained.json()["done"] < 16
    assert first.process.wait(10) == 0
    rest = second.call("POST", f"/jobs/{job['id']}/run").json()
    assert (rest["state"], rest["done"]) == ("succeeded", 16)
    assert len(gateway.puts) == 16


def test_every_line_of_the_server_is_one_json_object(make_server: MakeServer) -> None:
    server = make_server().wait_ready()
    server.call("GET", "/health")
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(10)
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert {line["service"] for line in lines} == {"runner"}
    assert "request_completed" in {line["event"] for line in lines}


def test_wrong_settings_end_the_start_with_one_message(make_server: MakeServer) -> None:
    server = make_server(JOBS_BUCKET_NAME="", PORT="x")
    assert server.process.wait(30) == 1
    message = server.log.read_text()
    assert "JOBS_BUCKET_NAME" in message
    assert "PORT" in message
    assert "Traceback" not in message


@pytest.mark.parametrize("module", ["runner.server", "runner.app"])
def test_importing_costs_no_aws_parser_or_tracing_sdk(module: str) -> None:
    program = (
        f"import sys, {module}\n"
        "parsers = {'bs4', 'mammoth', 'openpyxl', 'pypdfium2'}\n"
        "heavy = parsers | {'boto3', 'botocore', 'opentelemetry.sdk', 'grpc'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)}, timeout=60,
    )  # fmt: skip
    assert found.stdout.strip() == ""
