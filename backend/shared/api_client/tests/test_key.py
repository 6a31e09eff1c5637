"""The key is read once, belongs to the calling service, and survives a rotation."""

import asyncio
import uuid
from typing import Any

import pytest

from shared.api_client import KeyRefused, RequestRefused, ServiceAPIClient, connections
from shared.api_client.tests.conftest import MakeClient
from shared.aws.api_keys import SecretsManagerKeys
from shared.aws.clients import aws_client
from shared.conftest import Lines, MakeSettings
from shared.errors import BadDependency
from shared.testing import FakeKeys
from shared.tests.servers import FrontOfAws, answer, loopback

pytestmark = pytest.mark.anyio


_FORBIDDEN = answer(
    403, {"message": "Forbidden"}, headers={"x-amzn-errortype": "ForbiddenException"}
)


async def test_a_thousand_concurrent_first_calls_read_the_key_once(
    make_settings: MakeSettings,
    front: FrontOfAws,
    secrets_manager: Any,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines.configure("WARNING")
    # Long timeouts: on a busy machine a thousand calls exceed the default ones.
    monkeypatch.setattr(connections, "CONNECT_TIMEOUT_SECONDS", 120.0)
    project = f"p{uuid.uuid4().hex[:12]}"
    secrets_manager.create_secret(Name=f"{project}/dev/api/api-key", SecretString="real-key")
    async with loopback() as gateway:
        settings = make_settings(project_name=project, api_gateway_url=f"{gateway.url}/dev")
        reader = aws_client("secretsmanager", read_timeout_seconds=120)
        keys = SecretsManagerKeys(settings.api_key_secret_name, client=reader)
        async with ServiceAPIClient(settings=settings, keys=keys, timeout_seconds=600) as client:
            await asyncio.gather(*(client.get("/chat/health") for _ in range(1000)))
    assert front.calls == ["GetSecretValue AWSCURRENT"]
    assert len(gateway.seen) == 1000
    assert {seen.header("x-api-key") for seen in gateway.seen} == {"real-key"}


async def test_the_key_is_that_of_the_calling_service(
    make_settings: MakeSettings, front: FrontOfAws, secrets_manager: Any, lines: Lines
) -> None:
    project = f"p{uuid.uuid4().hex[:12]}"
    secrets_manager.create_secret(Name=f"{project}/dev/chat/api-key", SecretString="chats-key")
    async with loopback() as gateway:
        settings = make_settings(
            project_name=project,
            api_gateway_url=f"{gateway.url}/dev",
            enable_service_api_keys=True,
        )
        async with ServiceAPIClient(service_name="chat", settings=settings) as client:
            await client.get("/s3vector/health")
        async with ServiceAPIClient(settings=settings) as client:  # no secret for the api service
            with pytest.raises(BadDependency, match=f"{project}/dev/api/api-key"):
                await client.get("/s3vector/health")
    assert [seen.header("x-api-key") for seen in gateway.seen] == ["chats-key"]


async def test_after_a_rotation_the_key_is_read_once_more(make_client: MakeClient) -> None:
    keys = FakeKeys("old", after_refresh="new")
    async with (
        loopback(_FORBIDDEN, answer(body={"ok": 1})) as gateway,
        make_client(gateway.url, keys=keys) as client,
    ):
        assert (await client.post("/chat/messages", json={"a": 1})).json() == {"ok": 1}
        await client.get("/chat/health")
    assert [seen.header("x-api-key") for seen in gateway.seen] == ["old", "new", "new"]
    assert keys.refreshes == 1


async def test_the_previous_key_is_tried_once_if_the_gateway_refuses_the_new_one(
    make_client: MakeClient,
) -> None:
    keys = FakeKeys("older", after_refresh="new", older="previous")
    async with (
        loopback(_FORBIDDEN, _FORBIDDEN, answer()) as gateway,
        make_client(gateway.url, keys=keys) as client,
    ):
        await client.get("/chat/health")
    assert [s.header("x-api-key") for s in gateway.seen] == ["older", "new", "previous"]


@pytest.mark.parametrize(("older", "sent"), [(None, 1), ("test-key", 1), ("previous", 2)])
async def test_a_key_that_stays_refused_raises_key_refused_without_a_retry(
    make_client: MakeClient, older: str | None, sent: int
) -> None:
    keys = FakeKeys(older=older)
    async with (
        loopback(_FORBIDDEN) as gateway,
        make_client(gateway.url, keys=keys) as client,
    ):
        with pytest.raises(KeyRefused) as caught:
            await client.get("/chat/health")
    assert (caught.value.status, caught.value.code) == (502, "key_refused")
    assert (keys.refreshes, len(gateway.seen)) == (1, sent)
    assert "test-key" not in str(caught.value)


async def test_a_403_about_the_user_is_passed_on(make_client: MakeClient) -> None:
    own = answer(403, {"error": "user_not_permitted", "detail": "Not yours."})
    async with loopback(own) as gateway, make_client(gateway.url, keys=FakeKeys()) as client:
        with pytest.raises(RequestRefused) as caught:
            await client.delete("/s3vector/documents/a")
    assert (caught.value.status, caught.value.code) == (403, "user_not_permitted")
    assert caught.value.detail == "Not yours."


async def test_a_403_that_is_not_about_the_key_does_not_read_it_again(
    make_client: MakeClient,
) -> None:
    keys = FakeKeys()
    token = answer(
        403,
        {"message": "Missing Authentication Token"},
        headers={"x-amzn-errortype": "MissingAuthenticationTokenException"},
    )
    own = answer(403, {"error": "forbidden", "detail": "Not yours."})
    async with (
        loopback(token, own) as gateway,
        make_client(gateway.url, keys=keys) as client,
    ):
        for _ in range(2):
            with pytest.raises(RequestRefused) as caught:
                await client.get("/chat/nowhere")
            assert not isinstance(caught.value, KeyRefused)
            assert caught.value.status == 502, "our caller cannot fix a 403 that we received"
    assert keys.refreshes == 0
