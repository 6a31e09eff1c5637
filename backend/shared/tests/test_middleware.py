"""Every request is logged once when it starts and once when it ends, even if it fails."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import structlog
from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from shared.conftest import Lines
from shared.errors import ErrorMiddleware, NotFound, Unavailable, install_error_handlers
from shared.logging import get_logger, request_context
from shared.middleware import PROXIES_KEY, LoggingMiddleware, logging_middleware
from shared.testing import app_client
from shared.tests.servers import uvicorn_server

pytestmark = pytest.mark.anyio

_log = get_logger()


def _app(form: str = "class", **options: Any) -> FastAPI:
    app = FastAPI()

    @app.get("/hello/{name}")
    async def hello(name: str) -> dict[str, str]:
        _log.info("inside", name=name)
        return {"hello": name}

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("unexpected")

    @app.get("/missing")
    async def missing() -> None:
        raise NotFound("There is no such thing.")

    @app.get("/down")
    async def down() -> None:
        raise Unavailable("It is down; try again.") from ConnectionError("socket closed")

    @app.post("/read")
    async def read(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @app.post("/parse")
    async def parse(body: dict[str, int]) -> dict[str, int]:
        return body

    install_error_handlers(app)
    if form == "class":
        app.add_middleware(LoggingMiddleware, **options)
    else:
        app.middleware("http")(logging_middleware)
    return app


@pytest.mark.parametrize("form", ["class", "function"])
async def test_all_lines_of_a_request_have_its_id(lines: Lines, form: str) -> None:
    async with app_client(_app(form)) as client:
        response = await client.get("/hello/you?q=1")
    started, inside, completed = lines.all()
    assert (started["event"], completed["event"]) == ("request_started", "request_completed")
    for line in (started, completed):
        assert (line["method"], line["path"]) == ("GET", "/hello/you")
        assert line["client_ip"] == "127.0.0.1"
    assert (completed["status"], completed["level"]) == (200, "info")
    assert isinstance(completed["duration"], float)
    assert completed["duration"] > 0
    assert inside["name"] == "you"
    ids = {line["request_id"] for line in lines.all()}
    assert ids == {response.headers["x-request-id"]}


@pytest.mark.parametrize("form", ["class", "function"])
async def test_a_request_that_raises_is_logged_as_failed(lines: Lines, form: str) -> None:
    async with app_client(_app(form)) as client:
        assert (await client.get("/broken")).status_code == 500
    (failed,) = lines.of("request_failed")
    assert (failed["status"], failed["level"], failed["path"]) == (500, "error", "/broken")
    assert failed["duration"] > 0
    assert failed["exception"][0]["type"] == "RuntimeError"
    assert len(lines.all()) == 2
    assert request_context.current() is None


async def test_a_4xx_is_logged_at_info_and_a_5xx_at_error_with_its_cause(
    lines: Lines,
) -> None:
    async with app_client(_app()) as client:
        await client.get("/missing")
        await client.get("/down")
    missing, down = lines.of("request_completed")
    assert (missing["level"], missing["status"], missing["error"]) == ("info", 404, "not_found")
    assert (down["level"], down["status"], down["error"]) == ("error", 503, "unavailable")
    assert "socket closed" in down["cause"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("abc-123", True),
        ("c6af9ac6-7b61-11e6-9a41-93e8deadbeef", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ('with"quote', False),
        ("with space", False),
        ("", False),
    ],
)
async def test_a_request_id_from_outside_is_used_if_it_is_safe(
    lines: Lines, sent: str, kept: bool
) -> None:
    async with app_client(_app()) as client:
        response = await client.get("/hello/you", headers={"x-request-id": sent})
    used = response.headers["x-request-id"]
    assert (used == sent) is kept
    assert {line["request_id"] for line in lines.all()} == {used}
    assert len(used) in {36, len(sent)}


async def test_without_a_request_id_header_the_gateways_id_is_used(lines: Lines) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    scope = _scope()
    scope["aws.event"] = {"requestContext": {"requestId": "from-the-gateway"}}
    await LoggingMiddleware(app)(scope, _nothing, _discard)
    assert {line["request_id"] for line in lines.all()} == {"from-the-gateway"}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "198.51.100.1", "127.0.0.1"),  # any client can send that header
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "spoofed, 198.51.100.1", "198.51.100.1"),
        (2, "spoofed, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "10.0.0.1", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "y" * 500, "y" * 64),
    ],
)
async def test_the_client_address_comes_from_trusted_proxies_only(
    lines: Lines, proxies: int, forwarded: str, expected: str
) -> None:
    async with app_client(_app(trusted_proxies=proxies)) as client:
        await client.get("/hello/you", headers={"x-forwarded-for": forwarded})
    assert {line["client_ip"] for line in lines.all() if "client_ip" in line} == {expected}


async def test_more_proxies_are_trusted_once_a_request_has_proved_its_way(lines: Lines) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/proved":
            scope[PROXIES_KEY] = 2
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    for path, expected in (("/proved", "198.51.100.1"), ("/direct", "10.0.0.1")):
        scope = _scope()
        scope["path"] = path
        scope["headers"] = [(b"x-forwarded-for", b"198.51.100.1, 10.0.0.1")]
        await LoggingMiddleware(app, trusted_proxies=1)(scope, _nothing, _discard)
        started, completed = lines.of("request_started")[-1], lines.of("request_completed")[-1]
        assert started["client_ip"] == "10.0.0.1"
        assert completed["client_ip"] == expected


async def test_the_trace_id_of_the_headers_is_in_the_lines(lines: Lines) -> None:
    root = "1-5759e988-bd862e3fe1be46a994272793"
    async with app_client(_app()) as client:
        await client.get("/hello/you", headers={"X-Amzn-Trace-Id": f"Root={root};Sampled=1"})
        await client.get("/hello/you", headers={"X-Amzn-Trace-Id": "Root=" + "x" * 10_000})
    assert {line["xray_trace_id"] for line in lines.all()[:3]} == {root}
    assert {line["trace_id"] for line in lines.all()[:3]} == {root.replace("-", "")[1:]}
    assert not any("trace_id" in line for line in lines.all()[3:])


async def test_variables_bound_by_one_request_are_not_in_the_next(lines: Lines) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        structlog.contextvars.bind_contextvars(document=scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    logged = LoggingMiddleware(app)
    structlog.contextvars.bind_contextvars(document="left over")
    for path in ("/one", "/two"):  # in one task, as on a keep-alive connection
        await logged(_scope(path), _nothing, _discard)
    assert [line.get("document") for line in lines.all()] == [None, "/one", None, "/two"]


async def test_concurrent_requests_keep_their_own_ids(lines: Lines) -> None:
    async with app_client(_app()) as client:
        await asyncio.gather(
            *(client.get(f"/hello/{n}", headers={"x-request-id": f"id-{n}"}) for n in range(50))
        )
    for line in lines.of("inside"):
        assert line["request_id"] == f"id-{line['name']}"


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_other_scopes_pass_through_unchanged(lines: Lines, kind: str) -> None:
    passed = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append((scope, receive, send))

    scope = {"type": kind}
    await LoggingMiddleware(app)(scope, _nothing, _discard)
    assert passed == [(scope, _nothing, _discard)]
    assert lines.all() == []


@pytest.mark.parametrize("path", ["/read", "/parse"])
async def test_a_client_that_disconnects_early_is_logged_as_aborted(
    lines: Lines, path: str
) -> None:
    app = _app()
    app.add_middleware(ErrorMiddleware)
    async with uvicorn_server(app) as url:
        _reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        writer.write(f"{head}content-length: 1000\r\n\r\n{{".encode())
        await writer.drain()
        await _until(lambda: bool(lines.of("request_started")))
        writer.close()
        await _until(lambda: len(lines.of("request_aborted")) == 1)
    (aborted,) = lines.of("request_aborted")
    assert (aborted["status"], aborted["level"]) == (499, "info")
    assert not [line for line in lines.all() if line["level"] == "error"]


async def test_a_client_that_disconnects_during_the_response_is_logged_as_aborted(
    lines: Lines,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ClientDisconnect

    await LoggingMiddleware(ErrorMiddleware(app))(_scope(), _nothing, _discard)
    assert lines.of("request_aborted")[0]["status"] == 499


async def test_a_cancelled_request_is_logged_as_aborted(lines: Lines) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(LoggingMiddleware(app)(_scope(), _nothing, _discard))
    await _until(lambda: bool(lines.of("request_started")))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert lines.of("request_aborted")[0]["status"] == 499


async def test_a_response_that_breaks_off_is_logged_as_failed(lines: Lines) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        raise RuntimeError("broken off")

    app = _app()
    app.add_api_route("/stream", lambda: StreamingResponse(pieces()))
    async with app_client(app) as client:
        await client.get("/stream")
    (failed,) = lines.of("request_failed")
    assert failed["status"] == 500
    assert failed["exception"][0]["message"] == "broken off"


async def test_a_missing_response_is_logged_as_failed(lines: Lines) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    await LoggingMiddleware(app)(_scope(), _nothing, _discard)
    assert lines.of("request_failed")[0]["status"] == 500


def _scope(path: str = "/x") -> Scope:
    return {"type": "http", "method": "GET", "path": path, "headers": []}


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _discard(_message: Message) -> None:
    pass


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)
