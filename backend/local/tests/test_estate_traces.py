"""In a running estate, a request is one trace across gateway, functions and runner."""

import time
from collections.abc import Iterator

import httpx
import pytest

from local.aws.server import boto3_client
from local.blueprint import REGION
from local.conftest import RunningUp, start_up, stop_up, wait_until
from local.tests.traced_requests import (
    ASK_SERVICES,
    call,
    check_ask,
    check_concurrent,
    check_off,
    check_test,
    load,
    trace,
)


def test_a_test_of_all_services_is_one_trace(estate: RunningUp) -> None:
    check_test(estate)


def test_a_question_is_one_trace(estate: RunningUp) -> None:
    load(estate)
    check_ask(estate)


def test_under_fifty_concurrent_requests_no_span_is_in_anothers_trace(estate: RunningUp) -> None:
    check_concurrent(estate)


def test_a_trace_that_the_caller_does_not_sample_is_recorded_nowhere(estate: RunningUp) -> None:
    root = f"1-{int(time.time()):08x}-{'b' * 24}"
    headers = {**estate.headers, "x-amzn-trace-id": f"Root={root};Sampled=0"}
    answer = httpx.get(f"{estate.url}/api/test", headers=headers, timeout=60)
    assert answer.status_code == 200
    assert answer.json()["trace_id"] == root[2:].replace("-", "")
    check_test(estate)  # spans of the first request would have arrived by then
    found = httpx.get(f"{estate.variables['CONSOLE_URL']}traces/{root}")
    assert found.status_code == 404


def test_a_failed_request_is_an_error_in_its_trace(estate: RunningUp) -> None:
    answer = call(estate, "POST", "/api/ask", json={"question": "x", "filter": {"$no": 1}})
    assert answer.status_code in {400, 422}
    spans = trace(estate, answer, ASK_SERVICES)
    calls = [span for span in spans if span["kind"] == "CLIENT" and span["service"] == "api"]
    assert calls[-1]["status"] == "ERROR"
    assert calls[-1]["attributes"]["error.type"] == str(answer.status_code)


def test_xray_has_the_trace_too(estate: RunningUp) -> None:
    answer = call(estate, "GET", "/api/test")
    root = answer.headers["x-amzn-trace-id"].split(";")[0].removeprefix("Root=")
    endpoint = estate.variables["AWS_ENDPOINT_URL"]
    client = boto3_client("xray", endpoint_url=endpoint, region=REGION)

    def there() -> bool:
        # The last five minutes, as in requirements.md.
        found = client.get_trace_summaries(StartTime=time.time() - 300, EndTime=time.time())
        return root in {one["Id"] for one in found["TraceSummaries"]}

    assert wait_until(there, seconds=20)


def test_the_env_file_names_a_working_collector(estate: RunningUp) -> None:
    url = f"{estate.variables['OTLP_ENDPOINT']}/v1/traces"
    sent = httpx.post(url, content=b"", headers={"content-type": "application/x-protobuf"})
    assert sent.status_code == 200


@pytest.fixture(scope="module")
def udp_estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    running = start_up(tmp_path_factory.mktemp("udp"), "--tracing", "udp")
    yield running
    assert stop_up(running) == 0


def test_over_the_daemon_the_traces_are_the_same(udp_estate: RunningUp) -> None:
    assert udp_estate.variables["OTLP_ENDPOINT"].startswith("udp://")
    load(udp_estate)
    check_test(udp_estate)
    check_ask(udp_estate)


def test_without_tracing_requests_succeed_and_nothing_is_sent(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    running = start_up(tmp_path_factory.mktemp("off"), "--tracing", "off")
    try:
        check_off(running)
    finally:
        assert stop_up(running) == 0
