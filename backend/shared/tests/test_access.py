"""A key without the scope of an operation is refused, before the body is read."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request

from shared.access import KEY_ID_HEADER, OPEN_PATHS, header_key_id
from shared.app import create_service_app
from shared.aws_lambda.entry import lambda_handler
from shared.conftest import Lines, MakeSettings
from shared.errors import Unavailable
from shared.settings import KeyScopes
from shared.testing import FakeKeyNames, FakeKeys, LambdaContext, api_gateway_event, app_client

pytestmark = pytest.mark.anyio

SCOPES = KeyScopes(
    operations={
        "read": ("GET /things/{thing_id}", "GET /things/all"),
        "write": ("PUT /things/{thing_id}",),
    },
    keys={"client": ("read",), "ingest": ("read", "write")},
)
NAMES = {"id-1": "client", "id-2": "ingest", "id-3": "stranger"}


def _app(make_settings: MakeSettings, names: FakeKeyNames | None = None, **options: Any) -> FastAPI:
    router = APIRouter()

    @router.put("/things/{thing_id}")
    async def change(thing_id: str, request: Request) -> int:
        return len(await request.body())

    @router.get("/things/{thing_id}")
    async def read(thing_id: str) -> str:
        return thing_id

    @router.get("/undeclared")
    async def undeclared() -> None: ...

    settings = make_settings(enable_service_api_keys=True, key_scopes=options.pop("scopes", SCOPES))
    return create_service_app(
        settings,
        title="T",
        description="D",
        routers=[router],
        key_names=names or FakeKeyNames(NAMES),
        key_id=header_key_id,
        **options,
    )


async def _ask(
    app: FastAPI, method: str, path: str, key_id: str | None = "id-1", **more: Any
) -> httpx.Response:
    headers = {KEY_ID_HEADER: key_id} if key_id else {}
    async with app_client(app) as client:
        return await client.request(method, path, headers=headers, **more)


@pytest.mark.parametrize(
    ("operation", "key_id", "status"),
    [
        ("GET /things/a", "id-1", 200),
        ("PUT /things/a", "id-1", 403),
        ("PUT /things/a", "id-2", 200),
        ("GET /things/a", "id-3", 403),  # a key without scopes
        ("GET /things/a", "id-9", 403),  # a key without a name
        ("GET /things/a", "", 403),
        ("GET /undeclared", "id-2", 404),
        ("GET /none", "id-2", 404),
        ("PATCH /things/a", "id-2", 405),
        ("PUT /things/a%0A", "id-1", 403),
        ("PUT /things/a/", "id-1", 403),  # served like the path without the slash
        ("PUT /things/a/", "id-2", 200),
        ("PUT //things/a", "id-2", 404),
        ("PUT /health", "id-2", 405),
    ],
)
async def test_each_key_may_do_what_its_scopes_say(
    make_settings: MakeSettings, lines: Lines, operation: str, key_id: str, status: int
) -> None:
    method, path = operation.split()
    answer = await _ask(_app(make_settings), method, path, key_id)
    assert answer.status_code == status
    if status == 405:
        assert answer.headers["allow"] == ("GET" if "health" in operation else "GET, PUT")


async def test_a_refusal_names_the_scope_and_nothing_else(
    make_settings: MakeSettings, lines: Lines
) -> None:
    app, texts = _app(make_settings), set()
    lines.configure()
    for key_id in ("id-1", "id-3", "id-9"):
        answer = await _ask(app, "PUT", "/things/secret-thing", key_id)
        assert answer.json()["error"] == "missing_scope"
        texts.add(answer.json()["detail"])
    # The same for a key that exists and one that does not; neither key nor path is quoted.
    assert texts == {"This API key lacks the scope api:write; use a key that has it."}
    assert lines.of("scope_missing")[0]["scope"] == "api:write"
    assert lines.of("request_completed")[0]["error"] == "missing_scope"


async def test_the_body_of_a_refused_request_is_not_read(
    make_settings: MakeSettings, lines: Lines
) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "PUT", "path": "/things/a", "raw_path": b"/things/a",
        "query_string": b"", "headers": [(KEY_ID_HEADER.encode(), b"id-1")], "root_path": "",
    }  # fmt: skip
    await _app(make_settings)(scope, receive, send)
    assert sent[0]["status"] == 403


@pytest.mark.parametrize("path", sorted(OPEN_PATHS - {"/docs/oauth2-redirect"}))
async def test_health_and_documentation_need_no_scope_and_no_names(
    make_settings: MakeSettings, lines: Lines, path: str
) -> None:
    app = _app(make_settings, FakeKeyNames({}, error=Unavailable("down")))
    assert (await _ask(app, "GET", path, None)).status_code == 200


async def test_names_that_cannot_be_read_close_the_service(
    make_settings: MakeSettings, lines: Lines
) -> None:
    names = FakeKeyNames({}, error=Unavailable("Cannot be checked.", retry_after=10))
    answer = await _ask(_app(make_settings, names), "GET", "/things/a")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.json()["error"] == "unavailable"
    # SSM has been asked again already, so the caller passes the error on.
    assert answer.headers["x-should-retry"] == "false"


async def test_without_declared_scopes_the_service_is_closed(
    make_settings: MakeSettings, lines: Lines
) -> None:
    app = _app(make_settings, scopes=KeyScopes())
    assert (await _ask(app, "GET", "/things/a", "id-2")).status_code == 404


def test_on_lambda_only_the_gateways_id_counts(make_settings: MakeSettings, lines: Lines) -> None:
    settings = make_settings(enable_service_api_keys=True, key_scopes=SCOPES)
    router = APIRouter()

    @router.put("/things/{thing_id}")
    async def change(thing_id: str) -> str:
        return thing_id

    app = create_service_app(
        settings, title="T", description="D", routers=[router], key_names=FakeKeyNames(NAMES)
    )
    handler = lambda_handler(app, settings, keys=FakeKeys())
    try:
        for key_id, forged, status in [("id-1", "id-2", 403), ("id-2", "id-1", 200)]:
            event = api_gateway_event(
                "PUT",
                "/api/things/a",
                headers={KEY_ID_HEADER: forged},
                key_id=key_id,
            )
            assert handler(event, LambdaContext())["statusCode"] == status
        event = api_gateway_event("PUT", "/api/things/a", headers={KEY_ID_HEADER: "id-2"})
        assert handler(event, LambdaContext())["statusCode"] == 403
    finally:
        handler.close()
