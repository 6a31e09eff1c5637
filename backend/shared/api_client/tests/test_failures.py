"""Each kind of failure raises an error of its own type."""

import pytest
from fastapi import APIRouter

from shared.api_client import (
    BadAnswer,
    CallError,
    CallTimeout,
    QuotaExceeded,
    RequestRefused,
    ServiceAPIClient,
    ServiceUnreachable,
    Throttled,
    connections,
)
from shared.api_client.tests.conftest import MakeClient
from shared.app import create_service_app
from shared.conftest import Lines, MakeSettings
from shared.errors import ServiceError
from shared.testing import FakeKeys, app_client
from shared.tests.servers import Behaviour, answer, flood, hang_up, loopback, unused_port

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("behaviour", "error", "status"),
    [
        (answer(400, {"error": "invalid_request", "detail": "x"}), RequestRefused, 400),
        (answer(404, {"error": "not_found", "detail": "x"}), RequestRefused, 404),
        (answer(409, {"error": "conflict", "detail": "x"}), RequestRefused, 409),
        (answer(413, {"message": "Request Too Long"}), RequestRefused, 413),
        (answer(422, {"error": "unprocessable", "detail": "x"}), RequestRefused, 422),
        (answer(401, b"<html>"), RequestRefused, 502),
        (answer(429, {"message": "Too Many Requests"}), Throttled, 503),
        (answer(429, {"message": "Limit Exceeded"}), QuotaExceeded, 503),
        (answer(500, {"error": "internal_error", "detail": "x"}), BadAnswer, 502),
        (answer(500, {"message": "Internal server error"}), BadAnswer, 502),
        (answer(502, {"message": "Internal server error"}), BadAnswer, 502),
        (answer(503, {"error": "unavailable", "detail": "x"}), BadAnswer, 503),
        (answer(504, {"message": "Endpoint request timed out"}), CallTimeout, 504),
        (answer(599, b"\xff not json"), BadAnswer, 502),
        (answer(500, b"[" * 100_000), BadAnswer, 502),
        (answer(200, b"x" * 5000), BadAnswer, 502),
        (flood(5000), BadAnswer, 502),
        (hang_up, ServiceUnreachable, 503),
    ],
)
async def test_each_failure_has_its_own_type_and_status(
    make_client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: Behaviour,
    error: type[CallError],
    status: int,
) -> None:
    monkeypatch.setattr(connections, "MAX_ANSWER_BYTES", 4000)
    async with loopback(behaviour) as gateway, make_client(gateway.url, attempts=1) as client:
        with pytest.raises(CallError) as caught:
            await client.get("/chat/x")
    assert type(caught.value) is error
    assert caught.value.status == status
    assert isinstance(caught.value, ServiceError)
    assert caught.value.attempts == 1
    assert "test-key" not in str(caught.value)


async def test_code_and_detail_of_a_refusal_are_passed_on(make_client: MakeClient) -> None:
    refusal = answer(404, {"error": "not_found", "detail": "There is no job 7."})
    async with loopback(refusal) as gateway, make_client(gateway.url) as client:
        with pytest.raises(RequestRefused) as caught:
            await client.get("/runner/jobs/7")
    assert (caught.value.code, caught.value.detail) == ("not_found", "There is no job 7.")
    assert caught.value.response is not None
    assert caught.value.response.status_code == 404


async def test_a_closed_port_is_unreachable(make_client: MakeClient) -> None:
    async with make_client(f"http://127.0.0.1:{unused_port()}") as client:
        with pytest.raises(ServiceUnreachable) as caught:
            await client.post("/chat/x", json={})
    assert caught.value.attempts == 3, "without a connection even a POST is safe to send again"


async def test_an_uncaught_call_error_is_answered_with_its_status(
    make_settings: MakeSettings, lines: Lines
) -> None:
    router = APIRouter()

    @router.get("/ask", summary="Ask")
    async def ask() -> None:
        settings = make_settings(api_gateway_url=f"http://127.0.0.1:{unused_port()}")
        async with ServiceAPIClient(settings=settings, keys=FakeKeys()) as client:
            await client.get("/chat/x")

    app = create_service_app(make_settings(), title="T", description="D", routers=[router])
    async with app_client(app) as caller:
        response = await caller.get("/ask")
    assert (response.status_code, response.json()["error"]) == (503, "service_unreachable")
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_corrupt_encoding_is_a_bad_answer(make_client: MakeClient, coding: str) -> None:
    corrupt = answer(200, b"\x1f\x8b no", headers={"content-encoding": coding})
    async with loopback(corrupt) as gateway, make_client(gateway.url) as client:
        with pytest.raises(BadAnswer, match="cannot be decoded"):
            await client.get("/chat/x")


async def test_an_encoding_that_httpx_does_not_know_is_passed_on(make_client: MakeClient) -> None:
    encoded = answer(200, b"\x1f\x8b no", headers={"content-encoding": "compress"})
    async with loopback(encoded) as gateway, make_client(gateway.url) as client:
        assert (await client.get("/chat/x")).content == b"\x1f\x8b no"
