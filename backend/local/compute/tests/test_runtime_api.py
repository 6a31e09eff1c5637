"""The four routes of the Runtime API, as a runtime client uses them."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from local.compute.runtime_api import RESPONSE_LIMIT_BYTES, Invocation, RuntimeApi

pytestmark = pytest.mark.anyio


@pytest.fixture
async def api() -> AsyncIterator[RuntimeApi]:
    made = RuntimeApi()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def client(api: RuntimeApi) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"http://{api.address}/2018-06-01/runtime", timeout=10
    ) as made:
        yield made


def invocation(payload: bytes = b'{"a":1}') -> Invocation:
    return Invocation(payload, 5.0, "arn:of:function", "Root=1-x;Sampled=1")


async def test_next_returns_the_event_with_its_headers(
    api: RuntimeApi, client: httpx.AsyncClient
) -> None:
    waiting = asyncio.create_task(client.get("/invocation/next"))
    await asyncio.wait_for(api.ready.wait(), 60)
    given = invocation()
    before = time.time()
    api.submit(given)
    answer = await waiting
    assert answer.content == b'{"a":1}'
    assert answer.headers["lambda-runtime-aws-request-id"] == given.request_id
    assert answer.headers["lambda-runtime-trace-id"] == "Root=1-x;Sampled=1"
    assert answer.headers["lambda-runtime-invoked-function-arn"] == "arn:of:function"
    deadline = int(answer.headers["lambda-runtime-deadline-ms"]) / 1000
    assert before + 5 - 0.001 <= deadline <= time.time() + 5
    assert not api.ready.is_set()


async def test_a_response_finishes_the_invocation(
    api: RuntimeApi, client: httpx.AsyncClient
) -> None:
    given = invocation()
    api.submit(given)
    await client.get("/invocation/next")
    answer = await client.post(f"/invocation/{given.request_id}/response", content=b"[1]")
    assert answer.status_code == 202
    result = await given.result
    assert (result.payload, result.function_error) == (b"[1]", None)


async def test_an_error_finishes_it_as_unhandled(
    api: RuntimeApi, client: httpx.AsyncClient
) -> None:
    given = invocation()
    api.submit(given)
    await client.get("/invocation/next")
    await client.post(f"/invocation/{given.request_id}/error", content=b'{"errorType":"E"}')
    assert (await given.result).function_error == "Unhandled"


async def test_a_response_of_another_invocation_is_refused(
    api: RuntimeApi, client: httpx.AsyncClient
) -> None:
    given = invocation()
    api.submit(given)
    await client.get("/invocation/next")
    answer = await client.post("/invocation/other/response", content=b"1")
    assert answer.status_code == 400
    assert answer.json()["errorType"] == "InvalidRequestID"
    assert not given.result.done()


@pytest.mark.parametrize("size", [RESPONSE_LIMIT_BYTES + 1, 40 * 1024 * 1024])
async def test_a_response_over_six_megabytes_fails_the_invocation(
    api: RuntimeApi, client: httpx.AsyncClient, size: int
) -> None:
    given = invocation()
    api.submit(given)
    await client.get("/invocation/next")
    url = f"/invocation/{given.request_id}/response"
    answer = await client.post(url, content=b"x" * size)
    assert answer.status_code == 413
    assert b"Function.ResponseSizeTooLarge" in (await given.result).payload


async def test_a_response_of_six_megabytes_passes(
    api: RuntimeApi, client: httpx.AsyncClient
) -> None:
    given = invocation()
    api.submit(given)
    await client.get("/invocation/next")
    body = b"x" * RESPONSE_LIMIT_BYTES
    answer = await client.post(f"/invocation/{given.request_id}/response", content=body)
    assert answer.status_code == 202
    assert len((await given.result).payload) == RESPONSE_LIMIT_BYTES


async def test_an_init_error_is_kept_for_the_report(
    api: RuntimeApi, client: httpx.AsyncClient
) -> None:
    error = {"errorType": "Runtime.ImportModuleError", "errorMessage": "No module named 'x'"}
    answer = await client.post("/init/error", json=error)
    assert answer.status_code == 202
    assert api.init_error == "Runtime.ImportModuleError: No module named 'x'"


async def test_an_unknown_route_is_404(client: httpx.AsyncClient) -> None:
    assert (await client.get("/restore/next")).status_code == 404
