"""One question through the whole chain while one part fails: few calls, a typed answer, recovery.

The faults come from `local.faults`: a new target or kind is tested without a change here.
"""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.conftest import RunningUp, start_up, stop_up, wait_until
from local.demo.documents import documents
from local.faults import single_faults

QUESTION = {"question": "How large should an emergency fund be?"}
DOCUMENTS = [one for one in documents() if one["id"] == "emergency-fund"]
FIRST = "secretsmanager:error=503"

MAX_MODEL_CALLS = 4
MAX_AWS_ATTEMPTS = 3
GATEWAY_SECONDS = 29.0

# No more is asked of a target than that its answer comes late.
LATE = [fault for fault in single_faults() if ":latency" in fault]
# The store is in memory: S3 answers that nothing changed, without content.
HARMLESS = ["s3:truncate"]


def failures(*targets: str) -> list[str]:
    """Every way in which the targets fail at each request."""
    return [fault for fault in single_faults(*targets) if fault not in [*LATE, *HARMLESS]]


KEY_FAULTS = failures("secretsmanager")
DEPENDENCY_FAULTS = failures("bedrock", "bedrock/converse", "bedrock/invoke", "s3")
STORE_FAULTS = failures("dynamodb")
SERVICE_FAULTS = failures("chat", "s3vector")
RUNNER_FAULTS = failures("runner")
FRONT_FAULTS = failures("api")
GATEWAY_FAULTS = failures("gateway")


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
    asked: list[tuple[httpx.Response, dict[str, int]]] = []

    def is_met() -> bool:
        change(estate, fault)
        answer = ask(estate)
        asked.append((answer, requests(estate)))
        return target in asked[-1][1]

    assert wait_until(is_met, seconds=120)
    return asked[-1]


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
        httpx.post(url, json=stored, headers=estate.ingest_headers, timeout=60)
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


@pytest.mark.parametrize("fault", DEPENDENCY_FAULTS)
def test_a_failing_dependency_is_called_again_by_its_caller_only(
    failing: RunningUp, fault: str
) -> None:
    recover(failing)
    answer, counted = ask_under(failing, fault)
    assert_typed(answer)
    assert counted.get("bedrock", 0) <= MAX_MODEL_CALLS
    assert counted.get("s3", 0) <= MAX_AWS_ATTEMPTS
    recover(failing)


@pytest.mark.parametrize("fault", STORE_FAULTS)
def test_without_the_store_of_conversations_no_model_is_asked(
    failing: RunningUp, fault: str
) -> None:
    recover(failing)
    answer, counted = ask_under(failing, fault)
    assert_typed(answer)
    assert "bedrock" not in counted
    assert counted["dynamodb"] <= MAX_AWS_ATTEMPTS
    recover(failing)


@pytest.mark.parametrize("fault", SERVICE_FAULTS)
def test_a_failing_service_gives_a_typed_answer(failing: RunningUp, fault: str) -> None:
    recover(failing)
    answer, counted = ask_under(failing, fault)
    assert_typed(answer)
    assert counted.get("bedrock", 0) <= MAX_MODEL_CALLS
    # A question is not repeated: its answer may have been written. After 429 it was not.
    assert counted.get("chat", 0) == (3 if fault == "chat:error=429" else 1)
    recover(failing)


@pytest.mark.parametrize("fault", [*LATE, *HARMLESS])
def test_what_is_late_is_waited_for(failing: RunningUp, fault: str) -> None:
    recover(failing)
    change(failing, fault)
    answer = ask(failing)
    assert answer.status_code == 200
    assert requests(failing)["bedrock"] == 2
    change(failing, None)


@pytest.mark.parametrize("fault", RUNNER_FAULTS)
def test_a_failing_runner_gives_a_typed_answer(failing: RunningUp, fault: str) -> None:
    recover(failing)

    def read_job() -> httpx.Response:
        url = f"{failing.url}/api/ingestions/unknown"
        return httpx.get(url, headers=failing.ingest_headers, timeout=60)

    change(failing, fault)
    assert_typed(read_job())
    change(failing, None)
    assert wait_until(lambda: read_job().status_code == 404, seconds=120)


@pytest.mark.parametrize("fault", FRONT_FAULTS)
def test_where_the_first_service_fails_the_gateway_answers(failing: RunningUp, fault: str) -> None:
    recover(failing)
    change(failing, fault)
    began = time.monotonic()
    answer = ask(failing)
    assert time.monotonic() - began < GATEWAY_SECONDS + 10
    assert answer.status_code in statuses(fault, otherwise={502, 504})
    assert answer.json().keys() in ({"message"}, {"error", "detail"})
    recover(failing)


@pytest.mark.parametrize("fault", GATEWAY_FAULTS)
def test_a_failing_gateway_recovers(failing: RunningUp, fault: str) -> None:
    recover(failing)
    change(failing, fault.replace(":hang", ":hang=1"))  # the caller's own deadline ends it
    try:
        answer = ask(failing)
        assert "message" in answer.json()
        assert answer.status_code in statuses(fault, otherwise=set())
    except httpx.TransportError:
        assert ":error" not in fault
    recover(failing)


def statuses(fault: str, *, otherwise: set[int]) -> set[int]:
    """The status that a fault orders, or those of the gateway."""
    _, _, status = fault.partition(":error=")
    return {int(status)} if status else otherwise


def test_every_fault_there_is_has_a_test() -> None:
    tested = [
        *(KEY_FAULTS, DEPENDENCY_FAULTS, STORE_FAULTS, SERVICE_FAULTS),
        *(RUNNER_FAULTS, FRONT_FAULTS, GATEWAY_FAULTS, LATE, HARMLESS),
    ]
    assert {fault for faults in tested for fault in faults} == set(single_faults())


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
