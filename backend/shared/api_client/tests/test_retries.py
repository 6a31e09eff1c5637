"""A call is sent again only if that is safe and can succeed."""

import pytest

from shared.api_client import BadAnswer, CallError, CallTimeout, retries
from shared.api_client.tests.conftest import MakeClient
from shared.conftest import Lines
from shared.tests.servers import Behaviour, answer, hang_up, loopback

pytestmark = pytest.mark.anyio


_TRANSIENT = [
    answer(500, {"message": "Internal server error"}),
    answer(502, {"message": "Internal server error"}),
    answer(504, {"message": "Endpoint request timed out"}),
    hang_up,
]


_NOT_EXECUTED = [
    answer(429, {"message": "Too Many Requests"}),
    answer(503, {"error": "unavailable", "detail": "x"}),
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
@pytest.mark.parametrize("failure", [*_TRANSIENT, *_NOT_EXECUTED])
async def test_idempotent_methods_are_sent_again(
    make_client: MakeClient, method: str, failure: Behaviour
) -> None:
    async with loopback(failure, failure, answer()) as gateway, make_client(gateway.url) as client:
        assert (await client.request(method, "/chat/x")).status_code == 200
    assert len(gateway.seen) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("failures", "sent_again"),
    [(_TRANSIENT, False), (_NOT_EXECUTED, True)],
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


@pytest.mark.parametrize(
    "refusal",
    [
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
    assert retries.wait_before_retry(error) is False
