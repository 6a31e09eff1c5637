"""Only the gateway, which sends the secret, may call the runner."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import boto3
import httpx
import pytest
from starlette.types import Receive, Scope, Send

from runner.app import create_app
from runner.origin import (
    REREAD_SECONDS,
    TTL_SECONDS,
    OriginMiddleware,
    OriginSecret,
    SecretsManagerOrigin,
)
from runner.tests.conftest import MakeSettings
from runner.tests.fakes import FakeOrigin
from shared.errors import BadDependency, Unavailable
from shared.testing import app_client

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


@asynccontextmanager
async def caller(secret: OriginSecret, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with app_client(OriginMiddleware(inner, secret=secret, clock=clock)) as client:
        yield client


async def status(client: httpx.AsyncClient, value: str | bytes | None, path: str = "/jobs") -> int:
    headers = {} if value is None else {"x-origin-verify": value}
    return (await client.get(path, headers=headers)).status_code  # type: ignore[arg-type]


async def test_current_and_previous_values_are_accepted_and_nothing_else() -> None:
    secret = FakeOrigin("current", "previous")
    async with caller(secret, Clock()) as client:
        assert await status(client, "current") == 200
        assert await status(client, "previous") == 200
        for value in (None, "", "older", "currentx", "curren", "CURRENT", b"\xff\xfe"):
            assert await status(client, value) == 403, value


async def test_health_needs_no_header_and_reads_no_secret() -> None:
    secret = FakeOrigin("current")
    async with caller(secret, Clock()) as client:
        assert await status(client, None, "/health") == 200
        assert await status(client, None, "/health/") == 403
        assert await status(client, None, "/readiness") == 403
    assert secret.reads == 0


async def test_a_changed_secret_works_at_once() -> None:
    secret, clock = FakeOrigin("first"), Clock()
    async with caller(secret, clock) as client:
        assert await status(client, "first") == 200
        clock.seconds += REREAD_SECONDS + 1
        secret.values = ("second", "first")
        assert await status(client, "second") == 200
        assert await status(client, "first") == 200
    assert secret.reads == 2


async def test_the_oldest_of_three_values_is_refused_when_the_cache_expires() -> None:
    secret, clock = FakeOrigin("second", "first"), Clock()
    async with caller(secret, clock) as client:
        assert await status(client, "first") == 200
        secret.values = ("third", "second")
        clock.seconds += TTL_SECONDS + 1
        assert await status(client, "first") == 403


async def test_many_wrong_values_cause_few_reads_of_the_secret() -> None:
    secret, clock = FakeOrigin("current"), Clock()
    async with caller(secret, clock) as client:
        for _ in range(50):
            assert await status(client, "wrong") == 403
            clock.seconds += 0.1
        assert secret.reads == 1
        clock.seconds += REREAD_SECONDS + 1
        await status(client, "wrong")
        assert secret.reads == 2


async def test_concurrent_first_requests_read_the_secret_once() -> None:
    secret = FakeOrigin("current")
    async with caller(secret, Clock()) as client:
        answers = await asyncio.gather(*(status(client, "current") for _ in range(40)))
    assert set(answers) == {200}
    assert secret.reads == 1


async def test_known_values_stay_accepted_while_the_secret_cannot_be_read() -> None:
    secret, clock = FakeOrigin("current"), Clock()
    async with caller(secret, clock) as client:
        assert await status(client, "current") == 200
        secret.error = Unavailable("Secrets Manager is away")
        clock.seconds += TTL_SECONDS + 1
        assert await status(client, "current") == 200
        assert await status(client, "wrong") == 403


@pytest.mark.parametrize(
    ("error", "expected"), [(Unavailable("away", retry_after=2), 503), (BadDependency("no"), 502)]
)
async def test_no_request_is_accepted_before_the_secret_was_read(error: Any, expected: int) -> None:
    secret = FakeOrigin("current")
    secret.error = error
    async with caller(secret, Clock()) as client:
        answer = await client.get("/jobs", headers={"x-origin-verify": "current"})
    assert answer.status_code == expected
    assert set(answer.json()) == {"error", "detail", "timestamp", "request_id"}


async def test_the_service_answers_the_gateway_only_and_logs_the_others(
    make_settings: MakeSettings, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    app = create_app(make_settings(origin_check=True), origin=FakeOrigin("the-value"))
    async with app_client(app) as client:
        refused = await client.post("/jobs", content=b"x" * 100)
        assert refused.status_code == 403
        assert refused.json()["error"] == "forbidden"
        assert refused.headers["x-request-id"] == refused.json()["request_id"]
        assert (await client.get("/health")).status_code == 200
        let_in = await client.get("/liveness", headers={"x-origin-verify": "the-value"})
        assert let_in.status_code == 200
    written = capfdbinary.readouterr().out
    assert b'"status":403' in written
    assert b"the-value" not in written


async def test_a_spoofed_address_is_not_logged_as_the_clients(
    make_settings: MakeSettings, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    app = create_app(make_settings(origin_check=True), origin=FakeOrigin("the-value"))
    async with app_client(app) as client:
        # Around the gateway: only App Runner's proxy appends an address.
        direct = {"x-forwarded-for": "spoofed, 203.0.113.5"}
        assert (await client.get("/jobs", headers=direct)).status_code == 403
        assert (await client.get("/health", headers=direct)).status_code == 200
        through = {"x-forwarded-for": "198.51.100.1, 10.0.0.1", "x-origin-verify": "the-value"}
        assert (await client.get("/liveness", headers=through)).status_code == 200
    written = capfdbinary.readouterr().out
    assert b"spoofed" not in written
    assert b'"client_ip":"203.0.113.5"' in written
    assert b'"client_ip":"198.51.100.1"' in written


async def test_without_the_check_no_header_is_required(make_settings: MakeSettings) -> None:
    async with app_client(create_app(make_settings())) as client:
        assert (await client.get("/liveness")).status_code == 200


async def test_both_versions_come_from_secrets_manager(aws: Any) -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="p/dev/runner/origin", SecretString="one")
    origin = SecretsManagerOrigin("p/dev/runner/origin", lambda: client)
    assert origin.read() == ("one",)
    client.put_secret_value(SecretId="p/dev/runner/origin", SecretString="two")
    assert origin.read() == ("two", "one")
    with pytest.raises(BadDependency, match="missing"):
        SecretsManagerOrigin("p/dev/other", lambda: client).read()
