"""One handler for gateway events, tasks and direct invocations; every event gets an answer."""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import pytest
from fastapi import APIRouter, BackgroundTasks, Request, Response
from mangum.handlers import APIGateway
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.app import create_service_app
from shared.aws.api_keys import SecretsManagerKeys
from shared.aws_lambda.entry import (
    FUNCTION_MARGIN_SECONDS,
    MANGUM_CONFIG,
    LambdaHandler,
    lambda_handler,
)
from shared.conftest import Lines, MakeSettings
from shared.errors import BadDependency, Unavailable
from shared.logging import get_logger, request_context
from shared.request import deadline
from shared.testing import FakeKeys, LambdaContext, api_gateway_event
from shared.tests.servers import FrontOfAws

MakeHandler = Callable[..., LambdaHandler]

_log = get_logger()
_ROOT = "1-5759e988-bd862e3fe1be46a994272793"


def _routes() -> APIRouter:
    router = APIRouter()

    @router.api_route("/echo", methods=["GET", "POST"], summary="Echo")
    async def echo(request: Request) -> dict[str, Any]:
        body = await request.body()
        return {
            "path": request.url.path,
            "query": request.query_params.multi_items(),
            "headers": request.headers.items(),
            "body": base64.b64encode(body).decode(),
            "client": request.client.host if request.client else None,
            "left": deadline.remaining_seconds(),
            "trace": request_context.active_trace_id(),
        }

    @router.get("/bytes", summary="Bytes")
    async def octets() -> Response:
        headers = {"set-cookie": "a=1"}
        response = Response(b"\x00\xff", media_type="application/octet-stream", headers=headers)
        response.headers.append("set-cookie", "b=2")
        return response

    @router.post("/later", summary="Later")
    async def later(tasks: BackgroundTasks) -> None:
        def fail() -> None:
            raise RuntimeError("too late")

        tasks.add_task(fail)

    @router.get("/broken", summary="Broken")
    async def broken() -> None:
        raise RuntimeError("nobody expected this")

    return router


@pytest.fixture
def make_handler(make_settings: MakeSettings, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    made: list[LambdaHandler] = []

    def make(app: ASGIApp | None = None, **options: Any) -> LambdaHandler:
        settings = make_settings()
        app = app or create_service_app(settings, title="T", description="D", routers=[_routes()])
        lines.configure()
        made.append(lambda_handler(app, settings, **({"keys": FakeKeys()} | options)))
        return made[-1]

    yield make
    for handler in made:
        handler.close()


def _ask(handler: LambdaHandler, path: str = "/api/echo", **options: Any) -> dict[str, Any]:
    event = api_gateway_event(options.pop("method", "GET"), path, **options)
    answer = handler(event, LambdaContext())
    assert answer["statusCode"] == 200, answer
    return dict(json.loads(answer["body"]))


def test_a_failing_background_task_does_not_change_the_answer(
    make_handler: MakeHandler, lines: Lines
) -> None:
    answer = make_handler()(api_gateway_event("POST", "/api/later"), LambdaContext())
    assert (answer["statusCode"], answer["body"]) == (200, "null")
    assert lines.of("background_task_failed")[0]["exception"][0]["message"] == "too late"


# Gateway events


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/health", 200),
        ("/api/nowhere", 404),
        ("/api", 404),
        ("/apiary/health", 404),
        ("/api/api/health", 404),
        ("/API/health", 404),
    ],
)
def test_the_gateways_prefix_is_taken_off_at_a_segments_end_only(
    make_handler: MakeHandler, lines: Lines, path: str, status: int
) -> None:
    answer = make_handler()(api_gateway_event("GET", path), LambdaContext())
    assert answer["statusCode"] == status
    logged = lines.of("request_completed")[0]["path"]
    below = path.removeprefix("/api") if f"{path}/".startswith("/api/") else path
    assert logged == (below or "/")
    if status == 404:
        assert json.loads(answer["body"])["error"] == "not_found"


def test_queries_headers_and_the_callers_address_arrive(make_handler: MakeHandler) -> None:
    query = "tag=a&tag=b&q=caf%C3%A9%20%26%20x&empty="
    event = api_gateway_event("GET", "/api/echo", query=query, source_ip="203.0.113.9")
    event["multiValueHeaders"] |= {"X-Custom": ["value"], "X-Many": ["one", "two"]}
    seen = json.loads(make_handler()(event, LambdaContext())["body"])
    assert seen["query"] == [["tag", "a"], ["tag", "b"], ["q", "café & x"], ["empty", ""]]
    headers = dict(seen["headers"])
    assert (headers["x-custom"], headers["x-many"]) == ("value", "one, two")
    assert seen["client"] == "203.0.113.9"


@pytest.mark.parametrize("body", ["text é", b"\x00\xff binary", "", None])
def test_bodies_arrive_as_text_and_as_base64(
    make_handler: MakeHandler, body: str | bytes | None
) -> None:
    seen = _ask(make_handler(), method="POST", body=body)
    expected = body.encode() if isinstance(body, str) else body or b""
    assert base64.b64decode(seen["body"]) == expected


def test_binary_answers_leave_as_base64_with_all_their_cookies(make_handler: MakeHandler) -> None:
    answer = make_handler()(api_gateway_event("GET", "/api/bytes"), LambdaContext())
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == b"\x00\xff"
    headers = {name.lower(): value for name, value in answer["multiValueHeaders"].items()}
    assert headers["set-cookie"] == ["a=1", "b=2"]


def test_an_unexpected_error_is_an_answer_and_one_error_line(
    make_handler: MakeHandler, lines: Lines
) -> None:
    answer = make_handler()(api_gateway_event("GET", "/api/broken"), LambdaContext())
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["error"] == "internal_error"
    assert [line["event"] for line in lines.all() if line["level"] == "error"] == ["request_failed"]


_START = {"type": "http.response.start", "status": 200}
_BODY = {"type": "http.response.body", "body": b"{}"}


@pytest.mark.parametrize(
    "steps",
    [
        [_START, _BODY | {"more_body": True}, RuntimeError("nobody expected this")],
        [],
        [_START],
        [_START, _BODY, _START, _BODY],
        [asyncio.CancelledError()],
        [_START | {"headers": [(b"x", b"\xff")]}, _BODY],
    ],
    ids=["breaks off", "silent", "never ends", "answers twice", "cancelled", "header is no text"],
)
def test_an_answer_that_breaks_is_an_error_and_the_next_one_is_answered(
    make_handler: MakeHandler, lines: Lines, steps: list[Message | BaseException]
) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for step in steps:
            if isinstance(step, BaseException):
                raise step
            await send(step)

    handler = make_handler(app=app)
    for _ in range(2):
        answer = handler(api_gateway_event("GET", "/api/health"), LambdaContext())
        assert answer["statusCode"] == 500
        assert json.loads(answer["body"])["error"] == "internal_error"
    assert [line["event"] for line in lines.all()] == ["internal_error"] * 2
    assert lines.all()[0]["exception"]
    assert request_context.current() is None


def test_an_answer_that_cannot_be_sent_is_counted_as_an_error_and_as_one_request(
    make_handler: MakeHandler, make_settings: MakeSettings, lines: Lines
) -> None:
    app = create_service_app(make_settings(), title="T", description="D", routers=[_routes()])

    async def large() -> Response:
        return Response("x" * 7_000_000, media_type="text/plain")

    async def unreadable() -> Response:
        response = Response("x")
        response.raw_headers.append((b"x", b"\xff"))
        return response

    app.add_api_route("/large", large)
    app.add_api_route("/unreadable", unreadable)
    handler = make_handler(app=app)
    for path, errors in (("large", [0, 1]), ("unreadable", [0, 1]), ("broken", [1]), ("echo", [0])):
        before = len(lines.of("metrics"))
        handler(api_gateway_event("GET", f"/api/{path}"), LambdaContext())
        written = lines.of("metrics")[before:]
        assert [line["Errors"] for line in written] == errors, path
        assert [line.get("Requests", 0) for line in written] == [1, 0][: len(errors)]
        assert len({(line["Service"], line["Environment"]) for line in written}) == 1
    [described] = lines.of("metrics")[1]["_aws"]["CloudWatchMetrics"]
    assert [metric["Name"] for metric in described["Metrics"]] == ["Errors"]


async def _in_parts(scope: Scope, receive: Receive, send: Send) -> None:
    first = await receive()
    waiting = asyncio.create_task(cast("Coroutine[Any, Any, Message]", receive()))
    await send({"type": "http.response.start", "status": 200})
    for number in range(3):
        await asyncio.sleep(0)
        part = f"{number}{first['body'].decode()}".encode()
        await send({"type": "http.response.body", "body": part, "more_body": True})
    hung_up = waiting.done()
    waiting.cancel()
    await send({"type": "http.response.body", "body": str(hung_up).encode()})
    assert (await receive())["type"] == "http.disconnect", "once all is said"


def test_a_streamed_answer_is_joined_and_the_client_never_disconnects(
    make_handler: MakeHandler,
) -> None:
    event = api_gateway_event("POST", "/api/x", body="x")
    answer = make_handler(app=_in_parts)(event, LambdaContext())
    assert base64.b64decode(answer["body"]) == b"0x1x2xFalse"


def test_a_request_has_the_gateways_id_and_only_the_first_is_a_cold_start(
    make_handler: MakeHandler, lines: Lines
) -> None:
    handler = make_handler()
    event = api_gateway_event("GET", "/api/health")
    for _ in range(3):
        answer = handler(event, LambdaContext())
        assert answer["headers"]["x-request-id"] == event["requestContext"]["requestId"]
    assert [line["cold_start"] for line in lines.of("request_completed")] == [True, False, False]
    assert request_context.current() is None


def test_the_runtimes_trace_wins_over_the_headers(
    make_handler: MakeHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = make_handler()
    headers = {"X-Amzn-Trace-Id": f"Root=1-{'a' * 8}-{'b' * 24}", "Accept": "x"}
    assert _ask(handler, headers=headers)["trace"] == "a" * 8 + "b" * 24
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={_ROOT};Parent=53995c3f42cd8ad8;Sampled=1")
    seen = _ask(handler, headers=headers)
    assert seen["trace"] == _ROOT.replace("-", "")[1:]


def test_mangum_still_has_the_two_halves_that_the_entry_uses() -> None:
    event = api_gateway_event("GET", "/api/echo")
    context: Any = LambdaContext()
    gateway = APIGateway(event, context, MANGUM_CONFIG)
    answer = gateway({"status": 204, "headers": [[b"x", b"1"]], "body": b""})
    assert (gateway.scope["path"], gateway.body, answer["statusCode"], answer["headers"]) == (
        "/api/echo",
        b"",
        204,
        {"x": "1"},
    ), (
        "Mangum changed: aws_lambda/entry.py builds mangum.handlers.APIGateway(event, context, "
        "config) itself, reads .scope and .body, and calls it with the answer."
    )


# Deadlines


def test_the_deadline_is_the_earliest_of_gateway_function_and_header(
    make_handler: MakeHandler,
) -> None:
    handler = make_handler()

    def left(
        remaining: float = 30, age: float = 0, header: float | str | None = None
    ) -> float | None:
        event = api_gateway_event("GET", "/api/echo")
        event["requestContext"]["requestTimeEpoch"] = int((time.time() - age) * 1000)
        if header is not None:
            handed = header if isinstance(header, str) else str(int((time.time() + header) * 1000))
            event["headers"]["X-Request-Deadline"] = handed
            event["multiValueHeaders"]["X-Request-Deadline"] = [handed]
        answer = handler(event, LambdaContext(remaining))
        seconds = json.loads(answer["body"])["left"]
        return None if seconds is None else float(seconds)

    gateway = deadline.GATEWAY_TIMEOUT_SECONDS - deadline.MARGIN_SECONDS
    assert left() == pytest.approx(gateway, abs=0.5)
    assert left(age=10) == pytest.approx(gateway - 10, abs=0.5)
    assert left(remaining=5) == pytest.approx(5 - FUNCTION_MARGIN_SECONDS, abs=0.5)
    assert left(header=3) == pytest.approx(3, abs=0.5)
    assert left(header=300) == pytest.approx(gateway, abs=0.5), "nobody can lengthen it"
    assert left(header="soon") == pytest.approx(gateway, abs=0.5)
    assert left(age=deadline.GATEWAY_TIMEOUT_SECONDS - 0.2) == 0
    assert left(age=60) == pytest.approx(30 - FUNCTION_MARGIN_SECONDS, abs=0.5), "a sample event"
    assert deadline.current() is None


# Direct invocations


def test_the_secrets_test_reports_whether_the_services_key_is_readable_but_not_the_key(
    make_handler: MakeHandler, lines: Lines
) -> None:
    answer = make_handler(keys=FakeKeys("hunter2"))({"test": "secrets"}, LambdaContext())
    assert answer == {
        "test": "secrets",
        "service": "api",
        "secret": "fin-advisor/dev/api/api-key",
        "readable": True,
    }
    assert b"hunter2" not in lines.stream.getvalue()


def test_the_secrets_test_reads_the_real_secret(
    make_handler: MakeHandler, front: FrontOfAws, secrets_manager: Any, lines: Lines
) -> None:
    handler = make_handler(keys=SecretsManagerKeys("no/such/secret", region="us-east-1"))
    answer = handler({"test": "secrets"}, LambdaContext())
    assert (answer["readable"], answer["error"]) == (False, BadDependency.code)
    assert answer["detail"]
    (line,) = lines.of("secrets_test_failed")
    assert line["level"] == "error"


async def _count(event: dict[str, Any]) -> dict[str, Any]:
    _log.info("counted", left=deadline.remaining_seconds())
    return {"count": len(event)}


async def _unavailable(_event: dict[str, Any]) -> dict[str, Any]:
    raise Unavailable("The bucket does not answer; try again.")


async def _crash(_event: dict[str, Any]) -> dict[str, Any]:
    raise RuntimeError("nobody expected this")


def test_a_task_is_run_by_its_name_with_the_functions_deadline(
    make_handler: MakeHandler, lines: Lines
) -> None:
    handler = make_handler(tasks={"count": _count})
    assert handler({"task": "count"}, LambdaContext(7)) == {"task": "count", "count": 1}
    (line,) = lines.of("task_completed")
    assert (line["task"], line["cold_start"]) == ("count", True)
    assert line["request_id"] == LambdaContext.aws_request_id
    assert lines.of("counted")[0]["left"] == pytest.approx(7 - FUNCTION_MARGIN_SECONDS, abs=0.5)


def test_a_task_that_fails_is_told_and_one_that_crashes_fails_the_invocation(
    make_handler: MakeHandler, lines: Lines
) -> None:
    tasks: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
        "down": _unavailable,
        "crash": _crash,
    }
    handler = make_handler(tasks=tasks)
    answer = handler({"task": "down"}, LambdaContext())
    assert (answer["task"], answer["error"]) == ("down", "unavailable")
    with pytest.raises(RuntimeError):
        handler({"task": "crash"}, LambdaContext())
    assert [line["task"] for line in lines.of("task_failed")] == ["down", "crash"]
    assert lines.of("task_failed")[1]["exception"][0]["type"] == "RuntimeError"
    assert request_context.current() is None


_GATEWAY = api_gateway_event("GET", "/api/health")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("X-Forwarded-Port", ["443, 80"]),
        ("X-Forwarded-Port", ["443", "80"]),
        ("X-Forwarded-Port", ["none"]),
        ("Host", ["[::1]:8080"]),
        ("Host", ["[::1"]),
        ("Host", ["a:b:c"]),
    ],
)
def test_any_host_and_forwarded_port_are_answered(
    make_handler: MakeHandler, name: str, values: list[str]
) -> None:
    event = _GATEWAY | {
        "headers": _GATEWAY["headers"] | {name: values[-1]},
        "multiValueHeaders": _GATEWAY["multiValueHeaders"] | {name: values},
    }
    assert make_handler()(event, LambdaContext())["statusCode"] == 200


@pytest.mark.parametrize(
    "damage",
    [
        {"headers": {"x-request-deadline": 5}},
        {"requestContext": {"requestTimeEpoch": 10**400}},
        {"isBase64Encoded": True, "body": "not base64!"},
    ],
)
def test_an_event_that_cannot_be_read_is_an_error_and_the_next_one_is_answered(
    make_handler: MakeHandler, lines: Lines, damage: dict[str, Any]
) -> None:
    handler = make_handler()
    answer = handler(_GATEWAY | damage, LambdaContext())
    assert (answer["statusCode"], json.loads(answer["body"])["error"]) == (500, "unreadable_event")
    (line,) = lines.of("unreadable_event")
    assert line["cold_start"] is True
    assert handler(_GATEWAY, LambdaContext())["statusCode"] == 200


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"task": "unknown"},
        {"task": ["count"]},
        {"test": "something"},
        {"Records": [{"eventSource": "aws:sqs"}]},
        {"source": "aws.events", "detail-type": "Scheduled Event"},
        {"version": "2.0", "rawPath": "/api/health", "requestContext": {"http": {}}},
        {"httpMethod": "GET", "requestContext": None},
        {"httpMethod": "GET", "requestContext": {}},
        {"httpMethod": "GET", "path": "/api/health", "requestContext": {}},
        _GATEWAY | {"headers": ["x"]},
        _GATEWAY | {"path": None},
        _GATEWAY | {"body": {"not": "text"}},
        _GATEWAY | {"requestContext": "x"},
        [],
        "text",
        None,
        7,
    ],
)
def test_any_other_event_gets_an_error_object_and_one_line(
    make_handler: MakeHandler, lines: Lines, event: Any
) -> None:
    answer = make_handler(tasks={"count": _count})(event, None)
    assert answer["error"] == "unsupported_event"
    assert "count" in answer["detail"], "what there is"
    assert answer["request_id"]
    (line,) = lines.all()
    assert (line["event"], line["level"]) == ("unsupported_event", "warning")


def test_a_gateway_event_without_headers_or_context_is_answered(make_handler: MakeHandler) -> None:
    event = _GATEWAY | {"headers": None, "multiValueHeaders": None, "body": None}
    event["requestContext"] = {"identity": {}}
    assert make_handler()(event, None)["statusCode"] == 200
