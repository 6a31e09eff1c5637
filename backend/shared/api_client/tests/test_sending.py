"""What is sent to the gateway, and what is sent to anybody else."""

import json
from typing import Any

import pytest

from shared.api_client import BadAnswer, ServiceAPIClient, UnsendableRequest, get_service_url
from shared.api_client.tests.conftest import MakeClient
from shared.conftest import MakeSettings
from shared.logging import request_context
from shared.tests.servers import answer, loopback, unused_port

pytestmark = pytest.mark.anyio


async def test_a_relative_path_keeps_the_stage(make_client: MakeClient) -> None:
    async with loopback() as gateway, make_client(gateway.url) as client:
        for path in ("/chat/health", "chat/health", "//chat/health"):
            assert (await client.get(path)).json() == {}
        await client.get("/chat/x", params={"q": "a b", "n": 2})
        await client.get("/chat/http://elsewhere/x")
    assert [seen.target for seen in gateway.seen] == [
        *["/dev/chat/health"] * 3,
        "/dev/chat/x?q=a+b&n=2",
        "/dev/chat/http://elsewhere/x",
    ]


async def test_without_api_keys_none_is_read_and_the_ids_are_still_sent(
    make_settings: MakeSettings,
) -> None:
    # No AWS endpoint is configured: reading a key would fail.
    async with loopback() as gateway:
        settings = make_settings(
            api_gateway_url=f"{gateway.url}/dev", enable_service_api_keys=False
        )
        async with ServiceAPIClient(settings=settings) as client:
            await client.get("/chat/health")
    (seen,) = gateway.seen
    assert seen.header("x-api-key") is None
    assert seen.header("x-request-id")
    assert seen.header("x-request-deadline")


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
async def test_every_method_sends_key_request_id_and_body(
    make_client: MakeClient, method: str
) -> None:
    body = {} if method in {"get", "delete"} else {"json": {"a": 1}}
    async with loopback() as gateway, make_client(gateway.url) as client:
        response = await getattr(client, method)("/chat/x", headers={"X-Custom": "1"}, **body)
    assert response.status_code == 200
    (seen,) = gateway.seen
    assert seen.method == method.upper()
    assert seen.header("x-api-key") == "test-key"
    assert seen.header("x-custom") == "1"
    assert len(seen.header("x-request-id") or "") == 36
    assert json.loads(seen.body or b"{}") == body.get("json", {})


async def test_the_ids_of_the_current_request_are_sent(make_client: MakeClient) -> None:
    xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    token = request_context.bind(request_context.RequestContext("r-1", None, xray))
    async with loopback() as gateway, make_client(gateway.url) as client:
        await client.get("/chat/health")
    request_context.reset(token)
    (seen,) = gateway.seen
    assert seen.header("x-request-id") == "r-1"
    assert seen.header("x-amzn-trace-id") == xray


async def test_a_service_url_includes_the_stage(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(api_gateway_url="https://abc.example/dev/")
    assert get_service_url("chat", settings) == "https://abc.example/dev/chat"
    for name in ("PROJECT_NAME", "ENVIRONMENT", "SERVICE_NAME"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("API_GATEWAY_URL", "https://abc.example/prod")
    assert get_service_url("runner") == "https://abc.example/prod/runner"


async def test_only_the_gateways_origin_gets_the_key(
    make_client: MakeClient,
) -> None:
    async with (
        loopback() as gateway,
        loopback() as foreign,
        make_client(gateway.url) as client,
    ):
        await client.get(f"{gateway.url}/dev/chat/health")
        port = foreign.url.rpartition(":")[2]
        host = gateway.url.partition("://")[2]
        for url in (
            f"{foreign.url}/x",
            f"http://localhost:{port}/x",
            f"http://{host}@127.0.0.1:{port}/x",
        ):
            await client.get(url, headers={"X-Api-Key": "given-by-the-caller"})
    assert gateway.seen[0].header("x-api-key") == "test-key"
    assert len(foreign.seen) == 3
    for seen in foreign.seen:
        for name in ("x-api-key", "x-request-id", "x-request-deadline", "x-amzn-trace-id"):
            assert seen.header(name) is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed_because_they_would_leak_the_key(
    make_client: MakeClient, status: int
) -> None:
    async with loopback() as foreign:
        redirect = answer(status, headers={"location": f"{foreign.url}/x"})
        async with loopback(redirect) as gateway, make_client(gateway.url) as client:
            with pytest.raises(BadAnswer, match="redirect"):
                await client.get("/chat/health")
            assert len(gateway.seen) == 1
    assert foreign.seen == []


async def test_cookies_are_not_kept(
    make_client: MakeClient,
) -> None:
    cookie = answer(headers={"set-cookie": "session=1; Path=/"})
    async with loopback(cookie) as gateway, make_client(gateway.url) as client:
        await client.get("/chat/health")
        await client.get("/chat/health")
    assert gateway.seen[1].header("cookie") is None


async def test_proxy_variables_and_netrc_are_ignored(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2")
    monkeypatch.setenv("NETRC", str(netrc))
    unreachable = f"http://127.0.0.1:{unused_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, unreachable)
    async with loopback() as gateway, make_client(gateway.url) as client:
        await client.get("/chat/health")
    assert gateway.seen[0].header("authorization") is None


@pytest.mark.parametrize(
    "path",
    [
        "/chat/../../prod/chat",
        "/chat/%2e%2e/x",
        "/chat/.%2E/x",
        "/chat/%252e%252e/x",
        "/chat/..%2fx",
        "/chat/..%5cx",
        "/..",
        "/./chat",
        "{origin}/dev/../prod/chat",
        "/chat/\x00",
        "/chat/\ud800",
    ],
)
async def test_a_path_cannot_leave_the_stage(make_client: MakeClient, path: str) -> None:
    async with loopback() as gateway, make_client(gateway.url) as client:
        with pytest.raises(UnsendableRequest) as caught:
            await client.get(path.replace("{origin}", gateway.url))
    assert (caught.value.status, caught.value.code) == (422, "unsendable_request")
    assert gateway.seen == []


async def test_dots_within_a_segment_and_in_the_query_are_sent(make_client: MakeClient) -> None:
    async with loopback() as gateway, make_client(gateway.url) as client:
        await client.get("/chat/a..b/...?x=/../y")
    assert gateway.seen[0].target == "/dev/chat/a..b/...?x=/../y"


@pytest.mark.parametrize(
    "options",
    [
        {"json": {"x": float("nan")}},
        {"json": {"x": float("inf")}},
        {"json": {"x": "\ud800"}},
        {"json": {"x": object()}},
        {"json": {"x": b"bytes"}},
        {"params": {"x": "\ud800"}},
        {"headers": {"x-name": "schl\u00fc\u2026"}},
    ],
)
async def test_what_cannot_be_encoded_is_a_typed_error(
    make_client: MakeClient, options: dict[str, Any]
) -> None:
    async with loopback() as gateway, make_client(gateway.url) as client:
        with pytest.raises(UnsendableRequest):
            await client.post("/chat/x", **options)
    assert gateway.seen == []
