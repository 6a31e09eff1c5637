"""What every service gets from `create_service_app`: health, errors, logs, a complete OpenAPI."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel

from shared.app import MAX_BODY_BYTES, create_service_app
from shared.aws_lambda.entry import lambda_handler
from shared.conftest import Lines, MakeSettings
from shared.description.document import operations
from shared.models import ErrorResponse, error_responses
from shared.request import deadline
from shared.testing import FakeKeys, LambdaContext, api_gateway_event, app_client

pytestmark = pytest.mark.anyio


class _Picture(Response):
    media_type = "image/png"


class _Thing(BaseModel):
    name: str


def _make(make_settings: MakeSettings, **options: Any) -> FastAPI:
    router = APIRouter(tags=["things"])

    @router.post("/things/{thing_id}", summary="Change a thing", responses=error_responses(404))
    async def change(thing_id: str, thing: _Thing) -> _Thing:
        return thing

    @router.get("/left", summary="Time left")
    async def left() -> float | None:
        return deadline.remaining_seconds()

    @router.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    return create_service_app(
        make_settings(), title="Things", description="Does things.", routers=[router], **options
    )


async def test_health_settings_and_routes_are_there(
    make_settings: MakeSettings, lines: Lines
) -> None:
    app = _make(make_settings)
    assert app.state.settings.service_name == "api"
    async with app_client(app) as client:
        for path in ("/health", "/liveness", "/readiness", "/left", "/openapi.json"):
            assert (await client.get(path)).status_code == 200


async def test_the_openapi_document_is_complete(make_settings: MakeSettings, lines: Lines) -> None:
    document = _make(make_settings).openapi()
    assert document["info"]["title"] == "Things"
    assert document["info"]["version"] == "dev"
    described = {f"{method} {path}": one for method, path, one in operations(document)}
    assert len(described) == 5
    for name, operation in described.items():
        assert operation["summary"], name
        answers = operation["responses"]
        assert answers["200"]["content"]["application/json"]["schema"], name
        assert {"400", "403", "413", "422", "429", "500", "502", "503", "504"} <= set(answers)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    change = described["POST /things/{thing_id}"]
    assert change["responses"]["404"] == {"$ref": "#/components/responses/NotFound"}
    assert change["operationId"] == "change"


async def test_a_readiness_check_is_run(make_settings: MakeSettings, lines: Lines) -> None:
    def broken() -> None:
        raise ValueError("x")

    app = _make(make_settings, readiness_checks={"bucket": broken})
    async with app_client(app) as client:
        response = await client.get("/readiness")
    assert response.status_code == 503
    assert "bucket" in ErrorResponse.model_validate_json(response.content).detail


async def test_the_deadline_that_a_caller_hands_on_is_kept(
    make_settings: MakeSettings, lines: Lines
) -> None:
    async with app_client(_make(make_settings)) as client:
        assert (await client.get("/left")).json() is None
        ends = str(int((time.time() + 5) * 1000))
        assert 4 < (await client.get("/left", headers={"x-request-deadline": ends})).json() <= 5
        assert (await client.get("/left", headers={"x-request-deadline": "1"})).json() == 0
        assert (await client.get("/left", headers={"x-request-deadline": "soon"})).json() is None
    assert deadline.current() is None


async def test_the_default_limit_of_a_body_is_lambdas(
    make_settings: MakeSettings, lines: Lines
) -> None:
    async with app_client(_make(make_settings)) as client:
        response = await client.post("/things/1", content=b"x" * (MAX_BODY_BYTES + 1))
    assert response.status_code == 413
    assert "6,291,456" in response.json()["detail"]


async def test_the_lifespan_runs_under_a_server(make_settings: MakeSettings, lines: Lines) -> None:
    ran = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        ran.append("start")
        yield
        ran.append("stop")

    app = _make(make_settings, lifespan=lifespan)
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    assert ran == ["start", "stop"]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert lines.all() == []


@pytest.mark.parametrize("path", ["/left", "/health", "/openapi.json"])
async def test_a_trailing_slash_is_served_and_never_redirected(
    make_settings: MakeSettings, lines: Lines, path: str
) -> None:
    async with app_client(_make(make_settings)) as client:
        for slashes in ("/", "//"):
            assert (await client.get(path + slashes)).status_code == 200
        for wrong in ("/nowhere/", "//left", "/left/x/"):
            assert (await client.get(wrong)).status_code == 404


async def test_a_trailing_slash_keeps_method_and_body(
    make_settings: MakeSettings, lines: Lines
) -> None:
    async with app_client(_make(make_settings)) as client:
        answer = await client.post("/things/1/", json={"name": "n"})
    assert (answer.status_code, answer.json()) == (200, {"name": "n"})


async def test_head_is_get_without_the_body(make_settings: MakeSettings, lines: Lines) -> None:
    app = _make(make_settings)
    lines.configure()
    async with app_client(app) as client:
        for path in ("/health", "/left", "/openapi.json"):
            got, head = await client.get(path), await client.head(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-type"] == got.headers["content-type"]
        assert (await client.head("/nowhere")).status_code == 404
        assert (await client.head("/things/1")).status_code == 405
    assert "HEAD" in {line["method"] for line in lines.of("request_completed")}


def test_a_head_through_the_gateway_is_answered_too(
    make_settings: MakeSettings, lines: Lines
) -> None:
    handler = lambda_handler(_make(make_settings), make_settings(), keys=FakeKeys())
    answer = handler(api_gateway_event("HEAD", "/api/left/"), LambdaContext())
    handler.close()
    assert (answer["statusCode"], answer["body"]) == (200, "")


@pytest.mark.parametrize(
    "options",
    [
        {"response_class": _Picture},
        {"responses": {200: {"content": {"application/pdf": {}}}}},
    ],
)
def test_an_answer_that_a_function_cannot_send_is_refused_at_the_start(
    make_settings: MakeSettings, lines: Lines, options: dict[str, Any]
) -> None:
    router = APIRouter()
    router.add_api_route("/picture", lambda: None, **options)
    with pytest.raises(TypeError, match=r"/picture answers (image/png|application/pdf)"):
        create_service_app(make_settings(), title="t", description="t", routers=[router])


def test_text_and_json_are_accepted(make_settings: MakeSettings, lines: Lines) -> None:
    router = APIRouter()
    for number, response in enumerate((PlainTextResponse, HTMLResponse, JSONResponse, Response)):
        router.add_api_route(f"/{number}", lambda: None, response_class=response)
    create_service_app(make_settings(), title="t", description="t", routers=[router])
