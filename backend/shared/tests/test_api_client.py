"""Calls between services: the key stays home, deadlines hold, and each failure has its type."""

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from shared import api_client
from shared.api_client import (
    BadAnswer,
    CallError,
    CallTimeout,
    KeyRefused,
    QuotaExceeded,
    RequestRefused,
    ServiceAPIClient,
    ServiceUnreachable,
    Throttled,
    get_service_url,
)
from shared.app import create_service_app
from shared.conftest import Lines, MakeSettings
from shared.errors import BadDependency, ServiceError
from shared.logging import request_context
from shared.request import deadline
from shared.testing import FakeKeys, app_client
from shared.tests.servers import (
    Behaviour,
    FrontOfAws,
    answer,
    dribble,
    flood,
    hang,
    hang_up,
    loopback,
    unused_port,
    uvicorn_server,
)

pytestmark = pytest.mark.anyio

MakeClient = Callable[..., ServiceAPIClient]

_FORBIDDEN = answer(
    403, {"message": "Forbidden"}, headers={"x-amzn-errortype": "ForbiddenException"}
)


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_client, "BACKOFF_SECONDS", 0.001)


@pytest.fixture
def make_client(make_settings: MakeSettings, lines: Lines) -> MakeClient:
    def make(url: str, **options: Any) -> ServiceAPIClient:
        settings = make_settings(api_gateway_url=f"{url}/dev")
        return ServiceAPIClient(settings=settings, **({"keys": FakeKeys()} | options))

    return make


# What is sent, and where


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


async def test_in_an_estate_without_keys_none_is_read_and_the_ids_still_travel(
    make_settings: MakeSettings,
) -> None:
    # No AWS answers here: reading a key would fail.
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
async def test_every_method_sends_key_id_and_body(make_client: MakeClient, method: str) -> None:
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


async def test_the_ids_of_the_request_travel(make_client: MakeClient) -> None:
    xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    token = request_context.bind(request_context.RequestContext("r-1", None, xray))
    async with loopback() as gateway, make_client(gateway.url) as client:
        await client.get("/chat/health")
    request_context.reset(token)
    (seen,) = gateway.seen
    assert seen.header("x-request-id") == "r-1"
    assert seen.header("x-amzn-trace-id") == xray


async def test_the_url_of_a_service(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(api_gateway_url="https://abc.example/dev/")
    assert get_service_url("chat", settings) == "https://abc.example/dev/chat"
    for name in ("PROJECT_NAME", "ENVIRONMENT", "SERVICE_NAME"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("API_GATEWAY_URL", "https://abc.example/prod")
    assert get_service_url("runner") == "https://abc.example/prod/runner"


async def test_an_absolute_url_of_the_gateway_gets_the_key_and_any_other_does_not(
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
async def test_a_redirect_is_not_followed_so_that_the_key_cannot_leave(
    make_client: MakeClient, status: int
) -> None:
    async with loopback() as foreign:
        redirect = answer(status, headers={"location": f"{foreign.url}/x"})
        async with loopback(redirect) as gateway, make_client(gateway.url) as client:
            with pytest.raises(BadAnswer, match="redirect"):
                await client.get("/chat/health")
            assert len(gateway.seen) == 1
    assert foreign.seen == []


async def test_cookies_of_one_answer_are_not_sent_with_the_next_request(
    make_client: MakeClient,
) -> None:
    cookie = answer(headers={"set-cookie": "session=1; Path=/"})
    async with loopback(cookie) as gateway, make_client(gateway.url) as client:
        await client.get("/chat/health")
        await client.get("/chat/health")
    assert gateway.seen[1].header("cookie") is None


async def test_proxies_and_netrc_of_the_machine_are_ignored(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2")
    monkeypatch.setenv("NETRC", str(netrc))
    dead = f"http://127.0.0.1:{unused_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, dead)
    async with loopback() as gateway, make_client(gateway.url) as client:
        await client.get("/chat/health")
    assert gateway.seen[0].header("authorization") is None


# The key


async def test_a_thousand_concurrent_first_calls_ask_secrets_manager_once(
    make_settings: MakeSettings, front: FrontOfAws, secrets_manager: Any, lines: Lines
) -> None:
    lines.configure("WARNING")
    project = f"p{uuid.uuid4().hex[:12]}"
    secrets_manager.create_secret(Name=f"{project}/dev/api/api-key", SecretString="real-key")
    async with loopback() as gateway:
        settings = make_settings(project_name=project, api_gateway_url=f"{gateway.url}/dev")
        async with ServiceAPIClient(settings=settings) as client:
            await asyncio.gather(*(client.get("/chat/health") for _ in range(1000)))
    assert front.calls == ["GetSecretValue AWSCURRENT"]
    assert len(gateway.seen) == 1000
    assert {seen.header("x-api-key") for seen in gateway.seen} == {"real-key"}


async def test_the_key_is_that_of_the_service_that_calls(
    make_settings: MakeSettings, front: FrontOfAws, secrets_manager: Any, lines: Lines
) -> None:
    project = f"p{uuid.uuid4().hex[:12]}"
    secrets_manager.create_secret(Name=f"{project}/dev/chat/api-key", SecretString="chats-key")
    async with loopback() as gateway:
        settings = make_settings(project_name=project, api_gateway_url=f"{gateway.url}/dev")
        async with ServiceAPIClient(service_name="chat", settings=settings) as client:
            await client.get("/s3vector/health")
        async with ServiceAPIClient(settings=settings) as client:  # the api service has none
            with pytest.raises(BadDependency, match=f"{project}/dev/api/api-key"):
                await client.get("/s3vector/health")
    assert [seen.header("x-api-key") for seen in gateway.seen] == ["chats-key"]


async def test_a_rotation_is_healed_by_one_refetch(make_client: MakeClient) -> None:
    keys = FakeKeys("old", after_refresh="new")
    async with (
        loopback(_FORBIDDEN, answer(body={"ok": 1})) as gateway,
        make_client(gateway.url, keys=keys) as client,
    ):
        assert (await client.post("/chat/messages", json={"a": 1})).json() == {"ok": 1}
        await client.get("/chat/health")
    assert [seen.header("x-api-key") for seen in gateway.seen] == ["old", "new", "new"]
    assert keys.refreshes == 1


async def test_the_previous_key_is_tried_once_while_the_gateway_does_not_know_the_new_one(
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
async def test_a_key_that_stays_refused_is_an_error_of_its_own_without_a_retry(
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


async def test_a_403_that_is_not_about_the_key_refetches_nothing(make_client: MakeClient) -> None:
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
            assert caught.value.status == 502, "our own refusal is no fault of our caller's"
    assert keys.refreshes == 0


# Failures, each with its type


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
    monkeypatch.setattr(api_client, "MAX_ANSWER_BYTES", 4000)
    async with loopback(behaviour) as gateway, make_client(gateway.url, attempts=1) as client:
        with pytest.raises(CallError) as caught:
            await client.get("/chat/x")
    assert type(caught.value) is error
    assert caught.value.status == status
    assert isinstance(caught.value, ServiceError)
    assert caught.value.attempts == 1
    assert "test-key" not in str(caught.value)


async def test_what_the_service_said_reaches_the_callers_caller(make_client: MakeClient) -> None:
    told = answer(404, {"error": "not_found", "detail": "There is no job 7."})
    async with loopback(told) as gateway, make_client(gateway.url) as client:
        with pytest.raises(RequestRefused) as caught:
            await client.get("/runner/jobs/7")
    assert (caught.value.code, caught.value.detail) == ("not_found", "There is no job 7.")
    assert caught.value.response is not None
    assert caught.value.response.status_code == 404


async def test_nobody_listening_is_unreachable(make_client: MakeClient) -> None:
    async with make_client(f"http://127.0.0.1:{unused_port()}") as client:
        with pytest.raises(ServiceUnreachable) as caught:
            await client.post("/chat/x", json={})
    assert caught.value.attempts == 3, "nothing was carried out, so even a POST may be tried again"


@pytest.mark.parametrize("behaviour", [hang, dribble], ids=["hangs", "dribbles"])
async def test_a_hung_service_ends_at_the_deadline(
    make_client: MakeClient, behaviour: Behaviour
) -> None:
    async with loopback(behaviour) as gateway, make_client(gateway.url) as client:
        started = time.monotonic()
        with deadline.scope(time.time() + 0.5), pytest.raises(CallTimeout):
            await client.get("/chat/x")
        assert 0.4 <= time.monotonic() - started < 5
        with pytest.raises(CallTimeout):
            await client.get("/chat/x", timeout_seconds=0.3)
        assert len(gateway.seen) == 2, "no time is left for another attempt"


async def test_a_hung_secrets_manager_ends_at_the_deadline_too(
    make_client: MakeClient, make_settings: MakeSettings, front: FrontOfAws, lines: Lines
) -> None:
    front.gate.clear()
    async with ServiceAPIClient(settings=make_settings()) as client:
        with pytest.raises(CallTimeout, match="key could not be read in time"):
            await client.get("/chat/x", timeout_seconds=0.3)
    front.gate.set()


async def test_with_no_time_left_nothing_is_sent(make_client: MakeClient) -> None:
    async with loopback() as gateway, make_client(gateway.url) as client:
        with deadline.scope(time.time() + 0.05), pytest.raises(CallTimeout, match="no time is"):
            await client.get("/chat/x")
    assert gateway.seen == []


# Retries


_PASSING = [
    answer(500, {"message": "Internal server error"}),
    answer(502, {"message": "Internal server error"}),
    answer(504, {"message": "Endpoint request timed out"}),
    hang_up,
]
_NEVER_CARRIED_OUT = [
    answer(429, {"message": "Too Many Requests"}),
    answer(503, {"error": "unavailable", "detail": "x"}),
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
@pytest.mark.parametrize("failure", [*_PASSING, *_NEVER_CARRIED_OUT])
async def test_idempotent_methods_are_tried_again(
    make_client: MakeClient, method: str, failure: Behaviour
) -> None:
    async with loopback(failure, failure, answer()) as gateway, make_client(gateway.url) as client:
        assert (await client.request(method, "/chat/x")).status_code == 200
    assert len(gateway.seen) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("failures", "again"), [(_PASSING, False), (_NEVER_CARRIED_OUT, True)], ids=["maybe", "not"]
)
async def test_others_are_tried_again_only_where_nothing_was_carried_out(
    make_client: MakeClient, method: str, failures: list[Behaviour], again: bool
) -> None:
    for failure in failures:
        async with loopback(failure, answer()) as gateway, make_client(gateway.url) as client:
            if again:
                await client.request(method, "/chat/x", json={"a": 1})
                assert gateway.seen[0].body == gateway.seen[1].body
            else:
                with pytest.raises(CallError):
                    await client.request(method, "/chat/x", json={"a": 1})
            assert len(gateway.seen) == 1 + again


@pytest.mark.parametrize(
    "refusal",
    [
        answer(429, {"message": "Limit Exceeded"}),
        answer(400, {"error": "invalid_request", "detail": "x"}),
        answer(404, {"error": "not_found", "detail": "x"}),
        answer(500, {"error": "internal_error", "detail": "x"}),
    ],
)
async def test_what_will_not_pass_is_not_tried_again(
    make_client: MakeClient, refusal: Behaviour
) -> None:
    async with loopback(refusal) as gateway, make_client(gateway.url) as client:
        with pytest.raises(CallError) as caught:
            await client.get("/chat/x")
    assert len(gateway.seen) == caught.value.attempts == 1


async def test_attempts_are_bounded_and_told(make_client: MakeClient) -> None:
    failure = answer(503, {"error": "unavailable", "detail": "x"})
    async with loopback(failure) as gateway, make_client(gateway.url) as client:
        with pytest.raises(BadAnswer) as caught:
            await client.get("/chat/x")
    assert len(gateway.seen) == caught.value.attempts == 3


async def test_a_retry_after_is_honoured_and_one_beyond_the_deadline_is_not_waited_for(
    make_client: MakeClient,
) -> None:
    busy = answer(503, {"error": "unavailable", "detail": "x"}, headers={"retry-after": "1"})
    async with loopback(busy, answer()) as gateway, make_client(gateway.url) as client:
        started = time.monotonic()
        await client.get("/chat/x")
        assert time.monotonic() - started >= 1
    async with loopback(busy, answer()) as gateway, make_client(gateway.url) as client:
        with pytest.raises(BadAnswer) as caught:
            await client.get("/chat/x", timeout_seconds=0.9)
        assert (caught.value.retry_after, len(gateway.seen)) == (1, 1)


def test_waits_are_jittered_over_the_whole_range_and_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_client, "BACKOFF_SECONDS", 0.1)
    error = CallTimeout("x", retryable=True)
    for attempt, longest in ((1, 0.2), (2, 0.4), (10, 2.0)):
        error.attempts = attempt
        waits = [api_client._backoff(error) for _ in range(500)]
        assert 0 <= min(waits) < longest * 0.1
        assert longest * 0.9 < max(waits) <= longest
    assert api_client._backoff(CallTimeout("x")) is False
    assert api_client._backoff(ValueError()) is False


# Deadlines, from hop to hop


async def test_a_deadline_is_handed_on_and_shrinks_over_two_real_hops(
    make_settings: MakeSettings, lines: Lines
) -> None:
    seen: dict[str, float | None] = {}

    def service(name: str, next_url: str | None) -> FastAPI:
        router = APIRouter()

        @router.get("/go", summary="Go on")
        async def go() -> None:
            seen[name] = deadline.current()
            if next_url:
                settings = make_settings(api_gateway_url=next_url)
                async with ServiceAPIClient(settings=settings, keys=FakeKeys()) as client:
                    await client.get("/go")

        return create_service_app(make_settings(), title=name, description=name, routers=[router])

    async with (
        uvicorn_server(service("third", None)) as third,
        uvicorn_server(service("second", third)) as second,
        app_client(service("first", second)) as caller,
    ):
        ends = time.time() + 20
        response = await caller.get("/go", headers={"x-request-deadline": f"{ends * 1000:.0f}"})
    assert response.status_code == 200
    assert seen["first"] == pytest.approx(ends, abs=0.002)
    assert seen["second"] == pytest.approx(ends - deadline.HOP_SECONDS, abs=0.005)
    assert seen["third"] == pytest.approx(ends - 2 * deadline.HOP_SECONDS, abs=0.005)


async def test_a_failure_that_nobody_catches_becomes_the_right_answer(
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


# Connections


async def test_connections_are_pooled_and_reused(make_client: MakeClient) -> None:
    async with loopback() as gateway, make_client(gateway.url) as client:
        for _ in range(5):
            await client.get("/chat/health")
        assert gateway.connections == 1


async def test_it_works_without_a_context_and_again_after_it_was_closed(
    make_client: MakeClient,
) -> None:
    async with loopback() as gateway:
        client = make_client(gateway.url)
        await client.get("/chat/health")
        await client.aclose()
        await client.aclose()
        await client.get("/chat/health")
        await client.aclose()
        assert gateway.connections == 2


def test_one_client_serves_two_event_loops(make_client: MakeClient) -> None:
    class KeepsAlive(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(204)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), KeepsAlive) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        client = make_client(f"http://127.0.0.1:{server.server_port}")
        loops = [asyncio.new_event_loop() for _ in range(2)]
        for loop in loops:
            # The first loop's connection is open and kept when the second one comes.
            assert loop.run_until_complete(client.get("/chat/health")).status_code == 204
            kept = client._client
            assert kept is not None
            if loop is loops[0]:
                first = kept
        loops[0].run_until_complete(first.aclose())
        loops[1].run_until_complete(client.aclose())
        for loop in loops:
            loop.close()
        server.shutdown()


async def test_the_transport_is_a_seam(make_client: MakeClient) -> None:
    app = FastAPI()
    app.add_api_route("/dev/chat/health", lambda: {"status": "healthy"})
    client = make_client("http://gateway", transport=httpx.ASGITransport(app=app))
    async with client:
        assert (await client.get("/chat/health")).json() == {"status": "healthy"}


async def test_an_answer_may_be_as_large_as_the_gateways_limit(make_client: MakeClient) -> None:
    async with (
        loopback(answer(200, b"x" * api_client.MAX_ANSWER_BYTES)) as gateway,
        make_client(gateway.url) as client,
    ):
        response = await client.get("/chat/x")
    assert len(response.content) == api_client.MAX_ANSWER_BYTES
    assert gateway.seen[0].header("accept-encoding") == "identity"
