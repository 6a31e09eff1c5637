"""A call is sent again only if that is safe and can succeed."""

import pytest
from fastapi import APIRouter

from shared.api_client import BadAnswer, CallError, CallTimeout, ServiceUnreachable, retries
from shared.api_client.retries import RetryBudget
from shared.api_client.tests.conftest import MakeClient
from shared.app import create_service_app
from shared.conftest import Lines, MakeSettings
from shared.request import circuit_breaker
from shared.testing import app_client
from shared.tests.servers import Behaviour, answer, hang_up, loopback

pytestmark = pytest.mark.anyio


_MAYBE_EXECUTED = [
    answer(500, {"message": "Internal server error"}),
    answer(502, {"message": "Internal server error"}),
    answer(503, {"error": "unavailable", "detail": "x"}),
    answer(504, {"message": "Endpoint request timed out"}),
    hang_up,
]
_NOT_EXECUTED = [answer(429, {"message": "Too Many Requests"})]
_RETRIED = {"x-should-retry": "false"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
@pytest.mark.parametrize("failure", [*_MAYBE_EXECUTED, *_NOT_EXECUTED])
async def test_idempotent_methods_are_sent_again(
    make_client: MakeClient, method: str, failure: Behaviour
) -> None:
    async with loopback(failure, failure, answer()) as gateway, make_client(gateway.url) as client:
        assert (await client.request(method, "/chat/x")).status_code == 200
    assert len(gateway.seen) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("failures", "sent_again"),
    [(_MAYBE_EXECUTED, False), (_NOT_EXECUTED, True)],
    ids=["maybe executed", "not executed"],
)
async def test_other_methods_are_sent_again_only_if_nothing_was_executed(
    make_client: MakeClient, method: str, failures: list[Behaviour], sent_again: bool
) -> None:
    for failure in failures:
        async with loopback(failure, answer()) as gateway, make_client(gateway.url) as client:
            if sent_again:
                await client.request(method, "/chat/x", json={"a": 1})
                assert gateway.seen[0].body == gateway.seen[1].body
            else:
                with pytest.raises(CallError):
                    await client.request(method, "/chat/x", json={"a": 1})
            assert len(gateway.seen) == 1 + sent_again


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("failure", _MAYBE_EXECUTED)
async def test_other_methods_are_sent_again_with_an_idempotency_key(
    make_client: MakeClient, method: str, failure: Behaviour
) -> None:
    async with loopback(failure, answer()) as gateway, make_client(gateway.url) as client:
        await client.request(method, "/chat/x", json={}, headers={"Idempotency-Key": "k-1"})
    assert [request.header("idempotency-key") for request in gateway.seen] == ["k-1", "k-1"]


@pytest.mark.parametrize(
    "refusal",
    [
        answer(502, {"error": "call_failed", "detail": "x"}, headers=_RETRIED),
        answer(503, {"error": "unavailable", "detail": "x"}, headers=_RETRIED),
        answer(504, {"error": "deadline_exceeded", "detail": "x"}, headers=_RETRIED),
        answer(429, {"message": "Limit Exceeded"}),
        answer(400, {"error": "invalid_request", "detail": "x"}),
        answer(404, {"error": "not_found", "detail": "x"}),
        answer(500, {"error": "internal_error", "detail": "x"}),
    ],
)
async def test_permanent_failures_are_not_sent_again(
    make_client: MakeClient, refusal: Behaviour
) -> None:
    async with loopback(refusal) as gateway, make_client(gateway.url) as client:
        with pytest.raises(CallError) as caught:
            await client.get("/chat/x")
    assert len(gateway.seen) == caught.value.attempts == 1


async def test_attempts_are_limited_and_counted_in_the_error(make_client: MakeClient) -> None:
    failure = answer(503, {"error": "unavailable", "detail": "x"})
    async with loopback(failure) as gateway, make_client(gateway.url) as client:
        with pytest.raises(BadAnswer) as caught:
            await client.get("/chat/x")
    assert len(gateway.seen) == caught.value.attempts == 3


async def test_retry_after_is_honoured(make_client: MakeClient, lines: Lines) -> None:
    busy = answer(503, {"error": "unavailable", "detail": "x"}, headers={"retry-after": "1"})
    async with loopback(busy, answer()) as gateway, make_client(gateway.url) as client:
        await client.get("/chat/x")
    assert len(gateway.seen) == 2
    (scheduled,) = lines.of("stamina.retry_scheduled")
    assert scheduled["wait_for"] >= 1


async def test_a_retry_after_beyond_the_deadline_fails_at_once(
    make_client: MakeClient, lines: Lines
) -> None:
    busy = answer(503, {"error": "unavailable", "detail": "x"}, headers={"retry-after": "30"})
    async with loopback(busy, answer()) as gateway, make_client(gateway.url) as client:
        with pytest.raises(BadAnswer) as caught:
            await client.get("/chat/x", timeout_seconds=20)
    assert (caught.value.retry_after, len(gateway.seen)) == (30, 1)
    assert lines.of("stamina.retry_scheduled") == []


def test_waits_have_full_jitter_and_an_upper_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "BACKOFF_SECONDS", 0.1)
    error = CallTimeout("x", retryable=True)
    for attempt, longest in ((1, 0.2), (2, 0.4), (10, 2.0)):
        error.attempts = attempt
        waits = [retries.wait_before_retry(error) for _ in range(500)]
        assert 0 <= min(waits) < longest * 0.1
        assert longest * 0.9 < max(waits) <= longest


@pytest.mark.parametrize("error", [CallTimeout("x"), ValueError()])
def test_errors_that_are_not_retryable_are_not_waited_for(error: Exception) -> None:
    assert RetryBudget().wait_before_retry(error) is False


async def test_retries_are_a_share_of_the_calls_once_the_reserve_is_used(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "FAILURES", 1_000_000)
    failure = answer(503, {"error": "unavailable", "detail": "x"})
    calls = 60
    async with loopback(failure) as gateway, make_client(gateway.url) as client:
        for _ in range(calls):
            with pytest.raises(BadAnswer):
                await client.get("/chat/x")
        sent = len(gateway.seen)
        # Each service has a budget of its own.
        with pytest.raises(BadAnswer):
            await client.get("/runner/x")
    most = retries.RETRY_RESERVE + calls * retries.RETRY_SHARE
    assert calls + most - 2 <= sent <= calls + most
    assert len(gateway.seen) - sent == retries.ATTEMPTS


async def test_a_service_that_keeps_failing_is_not_called_until_a_probe_succeeds(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "OPEN_SECONDS", 1000.0)
    broken = answer(502, {"message": "Internal server error"})
    behaviours = [broken] * circuit_breaker.FAILURES + [answer()]
    async with loopback(*behaviours) as gateway, make_client(gateway.url, attempts=1) as client:
        for _ in range(circuit_breaker.FAILURES):
            with pytest.raises(BadAnswer):
                await client.get("/chat/x")
        with pytest.raises(ServiceUnreachable, match="the last calls to chat failed") as caught:
            await client.get("/chat/x")
        assert (caught.value.status, caught.value.retryable) == (503, False)
        assert caught.value.retry_after == pytest.approx(1000, abs=60)
        assert len(gateway.seen) == circuit_breaker.FAILURES
        # Another service behind the same gateway is called.
        await client.get("/runner/x")


async def test_errors_that_a_service_answers_itself_do_not_open_its_breaker(
    make_client: MakeClient,
) -> None:
    failure = answer(503, {"error": "unavailable", "detail": "x"}, headers=_RETRIED)
    async with loopback(failure) as gateway, make_client(gateway.url) as client:
        for _ in range(circuit_breaker.FAILURES * 2):
            with pytest.raises(BadAnswer):
                await client.get("/chat/x")
    assert len(gateway.seen) == circuit_breaker.FAILURES * 2


async def test_a_service_passes_on_that_a_call_was_repeated(
    make_client: MakeClient, make_settings: MakeSettings
) -> None:
    router = APIRouter()

    @router.get("/passed-on", summary="Passed on")
    async def passed_on() -> None:
        await client.get("/s3vector/x")

    failure = answer(503, {"error": "unavailable", "detail": "x"})
    app = create_service_app(make_settings(), title="t", description="t", routers=[router])
    async with (
        loopback(failure) as gateway,
        make_client(gateway.url) as client,
        app_client(app) as caller,
    ):
        answered = await caller.get("/passed-on")
    assert answered.status_code == 503
    assert answered.headers["x-should-retry"] == "false"
    assert len(gateway.seen) == retries.ATTEMPTS
