"""The gateway accepts the ID tokens of its user pool and no others."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from local.blueprint import FunctionIntegration, Method
from local.compute.logs import LogFolder
from local.conftest import GatewayUnderTest, Pools, rest_api, serve_gateway
from local.gateway.authorizer import CognitoAuthorizer, event_claims

pytestmark = pytest.mark.anyio

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool"
KEY = RSAKey.generate_key(2048, {"kid": "one"})
STRANGER = RSAKey.generate_key(2048, {"kid": "one"})
PUBLISHED = KeySet.import_key_set(KeySet([KEY]).as_dict(private=False))
_UNAUTHORIZED = (401, '{"message":"Unauthorized"}', "UnauthorizedException")
_EXPIRED = (401, '{"message":"The incoming token has expired"}', "UnauthorizedException")


def _claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "sub": "ana",
        "iss": ISSUER,
        "aud": "client-1",
        "token_use": "id",
        "iat": now,
        "exp": now + 3600,
        "cognito:groups": ["a", "curators"],
        "email_verified": True,
        **changes,
    }


def _token(key: Any = KEY, **changes: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, _claims(**changes), key)


def _unsigned(algorithm: str) -> str:
    return ".".join([_part({"alg": algorithm, "kid": "one"}), _part(_claims()), ""])


def _mac_with_the_public_key() -> str:
    signed = ".".join([_part({"alg": "HS256", "kid": "one"}), _part(_claims())])
    mac = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().strip('=')}"


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().strip("=")


def _tampered() -> str:
    head, body, signature = _token().split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed["sub"] = "ben"
    return f"{head}.{_part(changed)}.{signature}"


WRONG: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "not a token": lambda: "abc",
    "three dots": lambda: "...",
    "long": lambda: "a" * 9_000,
    "wrongly signed": lambda: _token(STRANGER),
    "another key id": lambda: jwt.encode({"alg": "RS256", "kid": "x"}, _claims(), STRANGER),
    "tampered": _tampered,
    "alg none": lambda: _unsigned("none"),
    "alg None": lambda: _unsigned("None"),
    "alg HS256 with the public key": _mac_with_the_public_key,
    "another issuer": lambda: _token(iss=f"{ISSUER}2"),
    "another audience": lambda: _token(aud="client-2"),
    "audiences": lambda: _token(aud=["client-1"]),
    "no audience": lambda: _token(aud=None),
    "an access token": lambda: _token(token_use="access"),
    "no expiry": lambda: _token(exp=None),
    "expiry as text": lambda: _token(exp="2999"),
}


@pytest.fixture(scope="module")
async def tested(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GatewayUnderTest]:
    pools = Pools(LogFolder(tmp_path_factory.mktemp("authorizer") / "logs"))
    pools.pool("echo", name="test-echo")
    api = rest_api()
    for path in ("/echo", "/echo/{proxy+}"):
        method = Method(FunctionIntegration("test-echo"), needs_user=True)
        api.resources[path]["ANY"] = method  # type: ignore[index]
    async with serve_gateway(pools, api) as under_test:
        under_test.gateway.authorizer = CognitoAuthorizer(ISSUER, {"client-1"}, PUBLISHED)
        yield under_test
    await pools.stop()


@pytest.mark.parametrize("scheme", ["", "Bearer "])
async def test_the_claims_of_an_id_token_reach_the_function_as_text(
    tested: GatewayUnderTest, scheme: str
) -> None:
    answer = await tested.client.get("/echo", headers={"authorization": scheme + _token()})
    claims = answer.json()["event"]["requestContext"]["authorizer"]["claims"]
    assert (claims["sub"], claims["cognito:groups"]) == ("ana", "a,curators")
    assert claims["email_verified"] == "true"
    assert " UTC " in claims["exp"]


@pytest.mark.parametrize("name", WRONG)
async def test_every_other_token_is_refused(tested: GatewayUnderTest, name: str) -> None:
    answer = await tested.client.get("/echo", headers={"authorization": WRONG[name]()})
    assert (answer.status_code, answer.text, answer.headers["x-amzn-errortype"]) == _UNAUTHORIZED


async def test_an_expired_token_is_named_as_such(tested: GatewayUnderTest) -> None:
    token = _token(exp=int(time.time()))
    answer = await tested.client.get("/echo", headers={"authorization": token})
    assert (answer.status_code, answer.text, answer.headers["x-amzn-errortype"]) == _EXPIRED


async def test_the_token_is_checked_before_the_key(tested: GatewayUnderTest) -> None:
    wrong = {"x-api-key": "wrong"}
    assert (await tested.client.get("/echo", headers=wrong)).status_code == 401
    both = {"authorization": _token(), **wrong}
    assert (await tested.client.get("/echo", headers=both)).status_code == 403


async def test_a_preflight_request_needs_no_token(tested: GatewayUnderTest) -> None:
    assert (await tested.client.options("/echo/a")).status_code == 200


async def test_without_an_authorizer_nobody_gets_through(tmp_path: Path) -> None:
    pools = Pools(LogFolder(tmp_path / "logs"))
    api = rest_api()
    api.resources["/web"]["ANY"] = Method(  # type: ignore[index]
        FunctionIntegration("test-web"), needs_user=True
    )
    async with serve_gateway(pools, api) as under_test:
        answer = await under_test.client.get("/web", headers={"authorization": _token()})
        assert answer.status_code == 500
    await asyncio.wait_for(pools.stop(), 30)


def test_times_are_written_as_api_gateway_writes_them() -> None:
    written = event_claims({"exp": 1484773869, "auth_time": 1484770265, "sub": "ana"})
    assert written == {
        "exp": "Wed Jan 18 21:11:09 UTC 2017",
        "auth_time": "1484770265",
        "sub": "ana",
    }
