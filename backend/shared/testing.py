"""Test doubles and clients for tests of services. Product code does not import this module."""

import base64
import json as json_module
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.request.user import User
from shared.settings import KeyScopes

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

UNENCODABLE = ("NaN", "1e999", "-1e999", r'"\ud800"', r'{"\ud800": 1}', r'["\udfff"]')
"""JSON that Python's parser accepts, and that cannot be written as JSON again."""

JSON: dict[str, str] = {"content-type": "application/json"}
"""Headers of a request with a JSON body; without them FastAPI does not parse it."""


class FakeKeys:
    """An `ApiKeyProvider` in memory that counts refreshes.

    Args:
        key: The current key.
        after_refresh: The key that `refreshed` returns; by default the current key.
        older: The previous key, or None.
    """

    def __init__(
        self, key: str = "test-key", *, after_refresh: str | None = None, older: str | None = None
    ) -> None:
        self.key = key
        self.after_refresh = after_refresh
        self.older = older
        self.refreshes = 0

    async def current(self) -> str:
        """Return the current key."""
        return self.key

    async def refreshed(self, rejected: str) -> str:  # noqa: ARG002 - required by the Protocol
        """Count the call and return the key after the refresh."""
        self.refreshes += 1
        self.key = self.after_refresh or self.key
        return self.key

    async def previous(self) -> str | None:
        """Return the previous key."""
        return self.older


class FakeKeyNames:
    """A `KeyNames` in memory.

    Args:
        names: The name of each key by its id.
        error: Raised instead of an answer.
    """

    def __init__(self, names: Mapping[str, str], *, error: Exception | None = None) -> None:
        self.names = dict(names)
        self.error = error

    async def name_of(self, key_id: str) -> str | None:
        """Return the name of a key."""
        if self.error is not None:
            raise self.error
        return self.names.get(key_id)


FORGED_IDENTITIES: tuple[dict[str, str], ...] = (
    {"x-user": "ana"},
    {"x-tenant": "north"},
    {"x-roles": "curators"},
    {"X-User": "ana", "X-Tenant": "north", "X-Roles": "curators"},
)
"""Headers by which a client could say that it is a user."""


def two_keys(*operations: str) -> KeyScopes:
    """Return scopes with two keys that may do the same; only `service` may forward a user."""
    return KeyScopes(
        operations={"all": operations},
        keys={"client": ("all",), "service": ("all",)},
        forwards_identity=("service",),
    )


def calling_with(
    app: ASGIApp, key: str, user: User | None = None, **options: Any
) -> httpx.AsyncClient:
    """Return a client behind the gateway, with one of `two_keys`, which forwards a user.

    The application needs `key_names=TWO_KEY_NAMES`.
    """
    headers = {**(user.headers() if user else {}), **options.pop("headers", {})}
    context = {"identity": {"apiKeyId": f"id-of-{key}"}}
    return app_client(app, context=context, headers=headers, **options)


TWO_KEY_NAMES = FakeKeyNames({"id-of-client": "client", "id-of-service": "service"})


class LambdaContext:
    """The context argument of a Lambda handler.

    Args:
        remaining_seconds: The time until the function times out.
    """

    aws_request_id = "11111111-2222-3333-4444-555555555555"
    function_name = "test"
    memory_limit_in_mb = 512

    def __init__(self, remaining_seconds: float = 30.0) -> None:
        self._ends = time.monotonic() + remaining_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function times out."""
        return int((self._ends - time.monotonic()) * 1000)


def app_client(
    app: ASGIApp, *, context: Mapping[str, Any] | None = None, **options: Any
) -> httpx.AsyncClient:
    """Return a client that calls an application in this process, without sockets.

    `context` is the `requestContext` of API Gateway's event, as the application sees it.
    """

    async def behind_gateway(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "aws.event": {"requestContext": context}}, receive, send)

    transport = httpx.ASGITransport(
        app=app if context is None else behind_gateway, raise_app_exceptions=False
    )
    return httpx.AsyncClient(transport=transport, base_url="http://test", **options)


def api_gateway_event(
    method: str = "GET",
    path: str = "/api/health",
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
    json: Any = None,
    stage: str = "dev",
    source_ip: str = "203.0.113.7",
    key_id: str | None = None,
    authorizer: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a REST API's event for a Lambda proxy integration (payload format 1.0).

    `authorizer` is what the gateway's authorizer adds, such as `{"claims": {"sub": "ana"}}`.
    """
    if json is not None:
        body = json_module.dumps(json)
        headers = {"content-type": "application/json", **(headers or {})}
    sent = {"Host": "abc123.execute-api.us-east-1.amazonaws.com", **(headers or {})}
    pairs = parse_qsl(query, keep_blank_values=True)
    many: dict[str, list[str]] = {}
    for name, value in pairs:
        many.setdefault(name, []).append(value)
    is_binary = isinstance(body, bytes)
    service = path.split("/")[1]
    return {
        "resource": f"/{service}/{{proxy+}}",
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": dict(pairs) or None,
        "multiValueQueryStringParameters": many or None,
        "pathParameters": {"proxy": path.partition(f"/{service}/")[2]},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": f"/{service}/{{proxy+}}",
            "httpMethod": method,
            "path": f"/{stage}{path}",
            "protocol": "HTTP/1.1",
            "stage": stage,
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTimeEpoch": int(time.time() * 1000),
            "identity": {
                "sourceIp": source_ip,
                "userAgent": sent.get("User-Agent"),
                "apiKeyId": key_id,
            },
            "apiId": "abc123",
            **({"authorizer": dict(authorizer)} if authorizer is not None else {}),
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": is_binary,
    }


def run_entry(
    service: str, statements: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Import a service's Lambda entry in a new process and run statements after it.

    The statements can use `handler`, `api_gateway_event`, `LambdaContext`, and `loaded`: the
    imported modules that a cold health check does not need.
    """
    program = f"""
import sys
from {service}.handler import handler
from shared.testing import LambdaContext, api_gateway_event

heavy = ("boto3", "botocore", "grpc", "numpy", "opentelemetry.sdk",
         "opentelemetry.exporter", "opentelemetry.instrumentation")
loaded = [name for name in heavy if name in sys.modules]
{statements}
"""
    return subprocess.run(  # noqa: S603 - the tests' own interpreter and program
        [sys.executable, "-c", program],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PROJECT_NAME": "fin-advisor",
            "ENVIRONMENT": "test",
            "SERVICE_NAME": service,
            "API_GATEWAY_URL": "http://127.0.0.1:9/dev",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def body_examples(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[Any]:
    """Return the examples of an operation's JSON body; one None for an operation without a body.

    Raises:
        LookupError: The body has no example.
    """
    if "requestBody" not in operation:
        return [None]
    content = operation["requestBody"]["content"]["application/json"]
    schema = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    examples = [
        *schema.get("examples", []),
        *([content["example"]] if "example" in content else []),
    ]
    if not examples:
        raise LookupError(f"the body of {operation['operationId']} has no example")
    return examples


def hostile_bodies(valid: Mapping[str, Any]) -> "SearchStrategy[bytes]":
    """Return a Hypothesis strategy of JSON bodies: a valid one with some of its values replaced."""
    from hypothesis import strategies as st

    texts = st.text(st.characters(categories=["L", "N", "Cs", "Cc", "P"]), max_size=8)
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats()
        | texts
        | st.just("x" * 20_000)
    )
    names = texts | st.sampled_from(["$eq", "$in", "$and", "$or", "$exists", "id", *valid])
    values = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    )
    replaced = st.dictionaries(st.sampled_from(sorted(valid)) | texts, values, max_size=3)
    objects = replaced.map(lambda changes: {**valid, **changes})
    written = (objects | values).map(
        # The parser reads 1e999 as infinity; json would write a name that not all parsers know.
        lambda value: json_module.dumps(value).replace("Infinity", "1e999").encode()
    )
    depths = st.sampled_from([10, 1_000, 100_000])
    nested = depths.map(lambda depth: b'{"filter":' * depth + b"1" + b"}" * depth)
    digits = st.just(b'{"top_k": ' + b"9" * 5_000 + b"}")
    return written | nested | digits | st.binary(max_size=30)
