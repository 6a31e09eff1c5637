"""Nothing that is confidential leaves the stores that must have it.

Each input and each secret has a value that occurs nowhere else; an error may name the field of a
value. After requests that succeed, are
refused and fail, these values are searched for in everything that the estate wrote or shows.
"""

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.aws.server import boto3_client
from local.blueprint import REGION, SERVICES
from local.conftest import RunningUp, start_up, stop_up, wait_until

FAULTS = (
    "bedrock/converse:error=400",
    "bedrock/converse:truncate",
    "bedrock/invoke:error=403",
    "s3:error=500",
    "dynamodb:error=400",
    "chat:error=500",
    "chat:truncate",
    "s3vector:reset",
    "runner:reset",
)
HEADERS = ("authorization", "cookie", "proxy-authorization", "x-amz-security-token", "x-unknown")


@dataclass
class Canaries:
    """Values by the name of the input or secret that has them."""

    values: dict[str, str] = field(default_factory=dict)

    def new(self, name: str) -> str:
        """A new value for an input."""
        return self.values.setdefault(name, f"canary{secrets.token_hex(12)}")

    def found_in(self, content: bytes, *, but: frozenset[str] = frozenset()) -> list[str]:
        """The names of the values in some bytes, plain or as base64."""
        return [
            name
            for name, value in self.values.items()
            if name not in but and any(form in content for form in _forms(value))
        ]


def _forms(value: str) -> Iterator[bytes]:
    yield value.encode()
    for offset in range(3):  # base64 differs by the position within three bytes
        encoded = base64.b64encode(b"\0" * offset + value.encode())
        yield encoded[4 if offset else 0 : -4]


@dataclass
class Used:
    """An estate after all requests, the canaries, and the error answers."""

    estate: RunningUp
    folder: Path
    canaries: Canaries
    errors: list[httpx.Response]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    folder = tmp_path_factory.mktemp("canaries")
    for name in ("home", "tmp", "run"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder / "home"))
        patch.setenv("TMPDIR", str(folder / "tmp"))
        estate = start_up(folder, "--run-dir", str(folder / "run"), "--verbose")
    try:
        canaries = Canaries(stored_secrets(estate))
        errors = send_everything(estate, canaries)
        yield Used(estate, folder, canaries, errors)
    finally:
        status = stop_up(estate)
    assert status == 0


def stored_secrets(estate: RunningUp) -> dict[str, str]:
    """Each secret of Secrets Manager by its name."""
    endpoint = estate.variables["AWS_ENDPOINT_URL"]
    client = boto3_client("secretsmanager", endpoint_url=endpoint, region=REGION)
    names = [one["Name"] for one in client.list_secrets(MaxResults=100)["SecretList"]]
    return {name: client.get_secret_value(SecretId=name)["SecretString"] for name in names}


def send_everything(estate: RunningUp, canaries: Canaries) -> list[httpx.Response]:
    """Put a canary in every input, without a fault and under each; return the error answers."""
    new, errors = canaries.new, []
    headers = {name: new(f"header {name}") for name in HEADERS}
    ingest = {**estate.ingest_headers, **headers}
    client = {**estate.headers, **headers}

    def send(method: str, path: str, body: Any = None, key: Any = client) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = httpx.request(
            method,
            f"{estate.url}{path}{'&' if '?' in path else '?'}unknown={new('query')}",
            content=None if body is None else content,
            headers={**key, "content-type": "application/json"},
            timeout=60,
        )
        if answer.status_code >= 400:
            errors.append(answer)
        return answer

    document = {
        "id": "canary",
        "title": new("title"),
        "text": f"An emergency fund covers three months of expenses. {new('document')}",
        "metadata": {"topic": new("metadata")},
    }
    question = {
        "question": f"How large should an emergency fund be? {new('question')}",
        "filter": {"topic": canaries.values["metadata"]},
    }
    upload = base64.b64encode(f"Save first. {new('upload')}".encode()).decode()
    job = {"documents": [{"id": "b", "data": upload, "content_type": "text/plain"}]}
    valid: list[tuple[str, str, Any, Any]] = [
        ("POST", "/api/documents", {"documents": [document]}, ingest),
        ("POST", "/api/search", {"text": new("search")}, client),
        ("POST", "/api/ask", question, client),
        ("POST", "/api/ingestions", {"documents": [document]}, ingest),
        ("POST", "/runner/jobs", job, {**ingest, "idempotency-key": new("idempotency")}),
    ]
    for request in valid:
        assert send(*request).status_code in {200, 202}, request
    answer = send("POST", "/api/ask", question).json()
    rating = {"rating": "down", "reason": new("feedback")}
    send("POST", f"/api/answers/{answer['answer_id']}/feedback", rating)
    stored = send("GET", "/api/documents/canary").json()
    assert canaries.values["document"] in stored["contents"][0]["text"]

    refused: list[tuple[str, str, Any, Any]] = [
        ("POST", "/api/ask", {"question": [new("wrong type")]}, client),
        ("POST", "/api/ask", {"question": "x", "conversation_id": new("conversation id")}, client),
        ("POST", "/api/ask", {"question": "x", "unknown": new("unknown field")}, client),
        ("POST", "/api/ask", b'{"question": "' + new("cut off").encode(), client),
        ("POST", "/api/search", {"text": "x", "filter": {"$unknown": new("operator")}}, client),
        ("GET", f"/api/documents?cursor={new('cursor')}", None, client),
        ("POST", "/api/documents", {"documents": [document | {"id": 1}]}, ingest),
        ("POST", "/api/documents", {"documents": [document]}, client),
        ("POST", "/api/ask", question, {"x-api-key": new("wrong key")}),
        ("POST", "/runner/jobs", {"prefix": new("prefix")}, ingest),
    ]
    for request in refused:
        assert send(*request).status_code >= 400, request
    for fault in FAULTS:
        order(estate, fault)
        for request in valid:
            send(*request)
    order(estate, None)
    return errors


def order(estate: RunningUp, fault: str | None) -> None:
    url = f"{estate.variables['CONSOLE_URL']}faults"
    httpx.delete(url, headers=estate.headers, timeout=60).raise_for_status()
    if fault is not None:
        order = {"fault": fault}
        httpx.post(url, json=order, headers=estate.headers, timeout=60).raise_for_status()


# The terminal prints the keys of the env file, so that the user can call the gateway.
PRINTED = frozenset([f"fin-advisor/dev/{name}/api-key" for name in ("client", "ingest")])


def test_the_search_finds_a_canary_in_each_form() -> None:
    canaries = Canaries()
    value = canaries.new("question")
    for prefix in ("", "a", "ab"):
        text = f"{prefix}{value}".encode()
        assert canaries.found_in(text) == ["question"]
        assert canaries.found_in(base64.b64encode(text + b"and more")) == ["question"]
    assert canaries.found_in(value[:-1].encode()) == []


def test_every_service_logged_and_failed(used: Used) -> None:
    """Otherwise the other tests would search nothing."""
    for service in SERVICES:
        assert '"status":' in used.estate.log(service), service
    assert {answer.status_code for answer in used.errors} >= {403, 422, 502, 503}
    assert len(used.canaries.values) > 20


def test_no_file_has_a_canary(used: Used) -> None:
    """Logs, the traces' database, and whatever else a process wrote."""
    files = [path for path in used.folder.rglob("*") if path.is_file()]
    assert {"api.log", "traces.sqlite"} <= {path.name for path in files}
    for path in files:
        if path.name == "estate.env":
            continue
        printed = PRINTED if path.name == "output.txt" else frozenset()
        assert not used.canaries.found_in(path.read_bytes(), but=printed), path.name


def test_no_trace_and_no_list_of_requests_has_a_canary(used: Used) -> None:
    console = used.estate.variables["CONSOLE_URL"]
    traces: list[dict[str, Any]] = []

    def arrived() -> bool:
        found = httpx.get(f"{console}traces?limit=1000", timeout=60).json()["traces"]
        traces[:] = found
        return len(found) > len(used.errors)

    assert wait_until(arrived, seconds=60)
    for one in traces:
        content = httpx.get(f"{console}traces/{one['trace_id']}", timeout=60).content
        assert b'"spans"' in content
        assert not used.canaries.found_in(content)
    for path in ("traces?limit=1000", "hops", "faults"):
        content = httpx.get(f"{console}{path}", timeout=60).content
        assert not used.canaries.found_in(content), path


def test_no_error_answer_has_a_canary(used: Used) -> None:
    for answer in used.errors:
        headers = json.dumps(dict(answer.headers)).encode()
        assert not used.canaries.found_in(headers + answer.content), answer.text


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")
def test_no_list_of_processes_has_a_canary(used: Used) -> None:
    """Command lines can be read by every user; environments are copied into crash reports."""
    searched = 0
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue  # it ended, or belongs to another user
            searched += bool(content)
            assert not used.canaries.found_in(content), f"{name} of {process.name}"
    assert searched > 2 * len(SERVICES)
