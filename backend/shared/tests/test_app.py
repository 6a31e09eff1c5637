"""What every service gets from `create_service_app`: health, errors, logs, a complete OpenAPI."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from pydantic import BaseModel

from shared.app import MAX_BODY_BYTES, create_service_app
from shared.conftest import Lines, MakeSettings
from shared.models import ErrorResponse, error_responses
from shared.request import deadline
from shared.testing import app_client

pytestmark = pytest.mark.anyio


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
    operations = [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) == 5
    for name, operation in operations:
        assert operation["summary"], name
        answers = operation["responses"]
        assert answers["200"]["content"]["application/json"]["schema"], name
        for status in ("400", "403", "413", "422", "429", "500", "502", "503", "504"):
            schema = answers[status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorResponse"}, f"{name} {status}"
    assert "HTTPValidationError" not in document["components"]["schemas"]
    change = document["paths"]["/things/{thing_id}"]["post"]
    assert "404" in change["responses"]


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
