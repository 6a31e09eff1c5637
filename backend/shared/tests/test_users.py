"""Only keys that may forward a user can say who the user is."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from shared.access import KEY_ID_HEADER, header_key_id
from shared.api_client import ServiceAPIClient
from shared.app import create_service_app
from shared.aws_lambda.entry import lambda_handler
from shared.conftest import Lines, MakeSettings
from shared.request import user
from shared.request.user import Claims, User
from shared.settings import KeyScopes
from shared.testing import FakeKeyNames, FakeKeys, LambdaContext, api_gateway_event, app_client
from shared.tests.servers import answer, loopback

pytestmark = pytest.mark.anyio

SCOPES = KeyScopes(
    operations={"read": ("GET /who",)},
    keys=dict.fromkeys(("client", "ingest", "chat"), ("read",)),
    forwards_identity=("chat",),
)
NAMES = {"id-client": "client", "id-ingest": "ingest", "id-chat": "chat"}
FORGED = [
    {"x-user": "ana"},
    {"x-tenant": "north"},
    {"x-roles": "curators"},
    {"x-user": "ana", "x-tenant": "north", "x-roles": "curators"},
    {"X-User": ""},
]


def _app(make_settings: MakeSettings, *, keys: bool = True, **options: Any) -> FastAPI:
    router = APIRouter()

    @router.get("/who")
    async def who() -> dict[str, Any]:
        found = user.current()
        return {} if found is None else found.headers()

    return create_service_app(
        make_settings(enable_service_api_keys=keys, key_scopes=SCOPES),
        title="T",
        description="D",
        routers=[router],
        key_names=FakeKeyNames(NAMES),
        **options,
    )


async def _who(app: FastAPI, key: str, headers: dict[str, str], path: str = "/who") -> Any:
    async with app_client(app) as client:
        return await client.get(path, headers={KEY_ID_HEADER: f"id-{key}", **headers})


async def test_a_key_that_may_forward_a_user_is_believed(
    make_settings: MakeSettings, lines: Lines
) -> None:
    app = _app(make_settings, key_id=header_key_id)
    lines.configure()
    sent = User("ana/ß", "north", is_curator=True)
    assert (await _who(app, "chat", sent.headers())).json() == sent.headers()
    assert (await _who(app, "chat", {})).json() == {}
    [first, second] = lines.of("request_completed")
    assert first["user"] == sent.id
    assert "user" not in second
    assert not [line for line in lines.all() if "ana" in str(line)]


@pytest.mark.parametrize("headers", FORGED)
@pytest.mark.parametrize("key", ["client", "ingest"])
async def test_other_keys_are_refused_with_any_of_the_headers(
    make_settings: MakeSettings, lines: Lines, key: str, headers: dict[str, str]
) -> None:
    refused = await _who(_app(make_settings, key_id=header_key_id), key, headers)
    assert (refused.status_code, refused.json()["error"]) == (403, "forged_identity")


@pytest.mark.parametrize("headers", FORGED)
async def test_without_keys_nobody_is_believed(
    make_settings: MakeSettings, lines: Lines, headers: dict[str, str]
) -> None:
    refused = await _who(_app(make_settings, keys=False), "chat", headers)
    assert (refused.status_code, refused.json()["error"]) == (403, "forged_identity")


async def test_wrong_headers_of_a_service_are_its_mistake(
    make_settings: MakeSettings, lines: Lines
) -> None:
    refused = await _who(_app(make_settings, key_id=header_key_id), "chat", {"x-tenant": "north"})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


async def test_health_has_no_user(make_settings: MakeSettings, lines: Lines) -> None:
    app = _app(make_settings, key_id=header_key_id, claims=Claims(required=True))
    assert (await _who(app, "client", {"x-user": "ana"}, "/health")).status_code == 200


def test_a_service_for_end_users_believes_the_gateways_claims_only(
    make_settings: MakeSettings, lines: Lines
) -> None:
    settings = make_settings(enable_service_api_keys=True, key_scopes=SCOPES)
    app = _app(make_settings, claims=Claims("custom:bank", required=True))
    handler = lambda_handler(app, settings, keys=FakeKeys())

    def ask(key: str, headers: dict[str, str], claims: dict[str, str] | None) -> dict[str, Any]:
        event = api_gateway_event(
            path="/api/who",
            headers=headers,
            key_id=f"id-{key}",
            authorizer=None if claims is None else {"claims": claims},
        )
        answered: dict[str, Any] = handler(event, LambdaContext())
        return answered

    ana = {"sub": "ana", "custom:bank": "north", "cognito:groups": "curators"}
    try:
        answered = ask("client", {}, ana)
        assert httpx.Response(200, content=answered["body"]).json() == {
            "x-user": "ana",
            "x-tenant": "north",
            "x-roles": "curators",
        }
        for key in ("client", "ingest", "chat"):
            for headers in FORGED:
                assert ask(key, headers, ana)["statusCode"] == 403
        assert ask("client", {}, None)["statusCode"] == 401
        assert ask("client", {}, {"sub": "ana"})["statusCode"] == 403
    finally:
        handler.close()


async def test_calls_to_the_gateway_forward_the_user_and_calls_to_others_do_not(
    make_settings: MakeSettings,
) -> None:
    ana = User("ana", "north", is_curator=True)
    async with loopback(answer()) as gateway, loopback(answer()) as other:
        settings = make_settings(api_gateway_url=f"{gateway.url}/dev")
        async with ServiceAPIClient(settings=settings, keys=FakeKeys()) as client:
            with user.acting_for(ana):
                await client.get("/chat/health", headers={"X-User": "ben"})
                await client.get(f"{other.url}/x")
            await client.get("/chat/health")
    sent = [
        {name: value for name in user.HEADERS if (value := request.header(name)) is not None}
        for request in (*gateway.seen, *other.seen)
    ]
    assert sent == [ana.headers(), {}, {}]
