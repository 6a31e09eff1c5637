"""One question through the whole chain while one part fails: few calls, a typed answer, recovery.

`pytest -s` prints a line for each fault; docs/faults.md has these lines as a table.
"""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.conftest import RunningUp, start_up, stop_up, wait_until
from local.demo.documents import documents

QUESTION = {"question": "How large should an emergency fund be?"}
DOCUMENTS = [one for one in documents() if one["id"] == "emergency-fund"]
FIRST = "secretsmanager:error=503"

MAX_MODEL_CALLS = 4
MAX_AWS_ATTEMPTS = 3
GATEWAY_SECONDS = 29.0

KEY_FAULTS = [
    FIRST,
    "secretsmanager:error=500",
    "secretsmanager:error=429",
    "secretsmanager:error=403",
    "secretsmanager:reset",
    "secretsmanager:truncate",
    "secretsmanager:hang",
]
MODEL_FAULTS = [
    f"bedrock/{operation}:{kind}"
    for operation in ("converse", "invoke")
    for kind in ("error=503", "error=500", "error=429", "error=403", "reset", "truncate", "hang")
]
STORE_FAULTS = [
    f"s3:{kind}" for kind in ("error=503", "error=500", "error=429", "error=403", "reset", "hang")
]
SERVICE_FAULTS = [
    f"{service}:{kind}"
    for service in ("chat", "s3vector")
    for kind in ("error=503", "error=500", "reset", "truncate")
]
HARMLESS = ["bedrock/converse:latency=1", "s3:latency=0.2", "chat:latency=0.2", "s3:truncate"]


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    """An estate that has not read a key yet: Secrets Manager fails from the start."""
    running = start_up(
        tmp_path_factory.mktemp("faults"), "--tracing", "off", "--fault", FIRST, seconds=120
    )
    yield running
    assert stop_up(running) == 0


def change(estate: RunningUp, fault: str | None) -> None:
    """Cancel all faults, then order one."""
    url = f"{estate.variables['CONSOLE_URL']}faults"
    assert httpx.delete(url, headers=estate.headers, timeout=60).status_code == 200
    if fault is not None:
        answer = httpx.post(url, json={"fault": fault}, headers=estate.headers, timeout=60)
        assert answer.json()["faults"] == [fault]


def requests(estate: RunningUp) -> dict[str, int]:
    answer = httpx.get(f"{estate.variables['CONSOLE_URL']}faults", timeout=60)
    counted: dict[str, int] = answer.json()["requests"]
    return counted


def ask(estate: RunningUp) -> httpx.Response:
    return httpx.post(f"{estate.url}/api/ask", json=QUESTION, headers=estate.headers, timeout=60)


def ask_under(estate: RunningUp, fault: str) -> tuple[httpx.Response, dict[str, int]]:
    """Ask until the fault is met: a circuit breaker may still be open because of another one."""
    target = fault.partition(":")[0]
    asked: list[tuple[httpx.Response, dict[str, int], float]] = []

    def is_met() -> bool:
        change(estate, fault)
        began = time.monotonic()
        answer = ask(estate)
        asked.append((answer, requests(estate), time.monotonic() - began))
        return target in asked[-1][1]

    assert wait_until(is_met, seconds=120)
    answer, counted, seconds = asked[-1]
    models, met = counted.get("bedrock", 0), counted[target]
    print(f"| `{fault}` | {answer.status_code} | {models} | {met} | {seconds:.1f} |")
    return answer, counted


def assert_typed(answer: httpx.Response) -> None:
    """The error is the service's own, in time, and its caller is asked not to repeat it."""
    body: dict[str, Any] = answer.json()
    assert answer.status_code in {502, 503, 504}, answer.text
    assert body.keys() == {"error", "detail", "timestamp", "request_id"}
    assert answer.headers["x-should-retry"] == "false"
    assert answer.elapsed.total_seconds() < GATEWAY_SECONDS


def recover(estate: RunningUp) -> None:
    change(estate, None)
    stored = {"documents": DOCUMENTS}

    def is_answered() -> bool:
        url = f"{estate.url}/api/documents"
        httpx.post(url, json=stored, headers=estate.headers, timeout=60)
        answer = ask(estate)
        return answer.status_code == 200 and answer.json()["status"] == "answered"

    assert wait_until(is_answered, seconds=120)


# First, and in one test: once a key is read, it is cached.
def test_without_keys_a_question_is_refused_and_answered_once_they_can_be_read(
    failing: RunningUp,
) -> None:
    for fault in KEY_FAULTS:
        answer, counted = ask_under(failing, fault)
        assert_typed(answer)
        assert "bedrock" not in counted
        assert counted["secretsmanager"] <= MAX_AWS_ATTEMPTS
    recover(failing)


@pytest.mark.parametrize("fault", [*MODEL_FAULTS, *STORE_FAULTS])
def test_a_failing_dependency_is_called_again_by_its_caller_only(
    failing: RunningUp, fault: str
) -> None:
    recover(failing)
    answer, counted = ask_under(failing, fault)
    assert_typed(answer)
    assert counted.get("bedrock", 0) <= MAX_MODEL_CALLS
    assert counted.get("s3", 0) <= MAX_AWS_ATTEMPTS
    recover(failing)


@pytest.mark.parametrize("fault", SERVICE_FAULTS)
def test_a_failing_service_gives_a_typed_answer(failing: RunningUp, fault: str) -> None:
    recover(failing)
    answer, counted = ask_under(failing, fault)
    assert_typed(answer)
    assert counted.get("bedrock", 0) <= MAX_MODEL_CALLS
    # A question is not repeated: its answer may have been written. A search is.
    assert counted.get("chat", 0) == 1
    recover(failing)


@pytest.mark.parametrize("fault", HARMLESS)
def test_what_is_late_is_waited_for(failing: RunningUp, fault: str) -> None:
    recover(failing)
    answer, counted = ask_under(failing, fault)
    assert answer.status_code == 200
    assert counted["bedrock"] == 2


@pytest.mark.parametrize("kind", ["error=503", "reset", "truncate", "hang"])
def test_a_failing_runner_gives_a_typed_answer(failing: RunningUp, kind: str) -> None:
    recover(failing)

    def read_job() -> httpx.Response:
        url = f"{failing.url}/api/ingestions/unknown"
        return httpx.get(url, headers=failing.headers, timeout=60)

    change(failing, f"runner:{kind}")
    assert_typed(read_job())
    change(failing, None)
    assert wait_until(lambda: read_job().status_code == 404, seconds=120)


@pytest.mark.parametrize("kind", ["error=503", "reset", "truncate"])
def test_a_failing_gateway_recovers(failing: RunningUp, kind: str) -> None:
    recover(failing)
    change(failing, f"gateway:{kind}")
    try:
        assert ask(failing).status_code == 503
    except httpx.TransportError:
        assert kind != "error=503"
    recover(failing)


@pytest.mark.parametrize("key", [None, "wrong"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_faults_are_ordered_with_the_clients_key_only(
    failing: RunningUp, method: str, key: str | None
) -> None:
    change(failing, "s3:latency=0.01")
    url = f"{failing.variables['CONSOLE_URL']}faults"
    headers = {} if key is None else {"x-api-key": key}
    body = {"fault": "s3:reset"}
    assert httpx.request(method, url, json=body, headers=headers, timeout=60).status_code == 403
    assert httpx.get(url, timeout=60).json()["faults"] == ["s3:latency=0.01"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"fault": 1}', b'{"fault": "mars:reset"}', b"[" * 900, b"x" * 2000]
)
def test_a_wrong_order_is_refused(failing: RunningUp, body: bytes) -> None:
    url = f"{failing.variables['CONSOLE_URL']}faults"
    answer = httpx.post(url, content=body, headers=failing.headers, timeout=60)
    assert answer.status_code == 400
    assert "TARGET:KIND" in answer.json()["message"]
