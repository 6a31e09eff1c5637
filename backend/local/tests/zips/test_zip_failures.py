"""Failures of a package: errors, and answers that are too long for Lambda."""

from pathlib import Path

import pytest

from local.blueprint import SERVICES
from local.compute.runtime_api import RESPONSE_LIMIT_BYTES
from local.tests.zips.zip_functions import (
    KEYS,
    PROBE_HANDLER,
    Answer,
    Surroundings,
    ZipFunction,
    zip_function,
)

pytestmark = pytest.mark.anyio


# Failures


async def test_an_unhandled_error_is_an_error_response_and_one_log_line_without_a_secret(
    surroundings: Surroundings, service: str, tmp_path: Path
) -> None:
    secrets = {"x-api-key": "the-callers-key", "Authorization": "Bearer the-callers-token"}
    async with zip_function(surroundings, service, tmp_path, PROBE_HANDLER) as probe:
        answer = await probe.request("GET", "/probe/broken", request_id="id-7", headers=secrets)
        assert (await probe.request("GET", "/health")).status == 200
    assert answer.status == 500
    assert answer.json().keys() == {"error", "detail", "timestamp", "request_id"}
    assert (answer.json()["error"], answer.json()["request_id"]) == ("internal_error", "id-7")
    assert "nobody" not in answer.body
    (line,) = [line for line in probe.lines() if line["level"] == "error"]
    assert (line["event"], line["request_id"], line["status"]) == ("request_failed", "id-7", 500)
    kinds = [error["type"] for error in line["exception"]]
    assert sorted(kinds) == ["LookupError", "RuntimeError"]
    assert probe.output.count("nobody expected this") == 1
    for secret in (KEYS[service], *secrets.values(), "the-callers"):
        assert secret not in probe.output


async def test_an_error_in_the_middle_of_an_answer_replaces_all_of_it(probe: ZipFunction) -> None:
    answer = await probe.request("GET", "/probe/half")
    assert (answer.status, "first part" in answer.body) == (500, False)
    assert (await probe.request("GET", "/health")).status == 200


# Long answers


@pytest.mark.parametrize(
    ("service", "query", "step", "step_bytes"),
    [
        *((name, "of=x", 1, 1) for name in SERVICES),
        ("api", "of=%22", 1, 2),  # escaped in JSON
        ("api", "of=%C3%A9", 1, 2),  # not escaped
        ("api", "of=%E2%80%A8", 1, 3),  # some encoders escape it
        ("api", "of=x&binary=true", 3, 4),  # base64
    ],
    indirect=["service"],
)
async def test_the_longest_answer_passes_and_a_longer_one_is_an_error_response(
    probe: ZipFunction, query: str, step: int, step_bytes: int
) -> None:
    async def ask(steps: int) -> Answer:
        return await probe.request("GET", "/probe/sized", query=f"{query}&count={steps * step}")

    pid, some = probe.pid, 999_999 // step + 1  # as many digits of content-length as the longest
    spare = RESPONSE_LIMIT_BYTES - (await ask(some)).payload_bytes
    most = some + spare // step_bytes
    longest = await ask(most)
    assert longest.status == 200
    assert 0 <= RESPONSE_LIMIT_BYTES - longest.payload_bytes < step_bytes
    longer = await ask(most + 1)
    assert longer.status == 500
    assert longer.json().keys() == {"error", "detail", "timestamp", "request_id"}
    assert (longer.json()["error"], longer.json()["request_id"]) == (
        "response_too_large",
        "the-gateways-id",
    )
    assert longer.headers["content-type"] == ["application/json"]
    assert longer.headers["x-request-id"] == ["the-gateways-id"]
    assert probe.pid == pid, "the environment keeps running"
