"""Every error is answered with its status and an `ErrorResponse`; no request causes a 500."""

import inspect
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, BackgroundTasks, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared import errors
from shared.app import create_service_app
from shared.conftest import Lines, MakeSettings
from shared.errors import ServiceError, describe_problems
from shared.models import ErrorResponse
from shared.testing import app_client
from shared.tests.servers import uvicorn_server

pytestmark = pytest.mark.anyio


def _tree(root: type[ServiceError]) -> list[type[ServiceError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _tree(child))]


# Only this module's: errors of services may be imported in the same process.
_ERRORS = [error for error in _tree(ServiceError) if error.__module__ == ServiceError.__module__]


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=10)]
    colour: Literal["red", "blue"] = "red"
    weights: list[float] = []
    tags: dict[str, str | int] = {}

    @field_validator("weights")
    @classmethod
    def _finite(cls, weights: list[float]) -> list[float]:
        if any(weight != weight for weight in weights):  # noqa: PLR0124 - NaN
            raise ValueError("must be finite")
        return weights


_router = APIRouter()


@_router.post("/items", summary="Echo")
async def _post_item(item: _Item) -> _Item:
    return item


@_router.get("/items", summary="List")
async def _get_items(limit: Annotated[int, Query(ge=1, le=100)] = 10) -> int:
    return limit


@_router.get("/raise/{name}", summary="Raise")
async def _raise(name: str) -> None:
    if name == "unexpected":
        raise RuntimeError("internal detail: hunter2")
    if name == "surrogate":
        raise errors.NotFound("There is no \ud800" + "x" * 5000)
    error = next(error for error in _ERRORS if error.__name__ == name)
    raise error("What happened; what to do.", retry_after=2.2)


@_router.get("/bad-answer", summary="Answer with what the model forbids", response_model=_Item)
async def _bad_answer() -> dict[str, str]:
    return {"nonsense": "x"}


@_router.post("/later", summary="Answer, and fail later")
async def _later(tasks: BackgroundTasks) -> dict[str, bool]:
    def fail() -> None:
        raise RuntimeError("too late")

    tasks.add_task(fail)
    return {"done": True}


@_router.post("/later-async", summary="Answer, and fail later")
async def _later_async(tasks: BackgroundTasks) -> dict[str, bool]:
    async def fail() -> None:
        raise RuntimeError("too late")

    tasks.add_task(fail)
    return {"done": True}


@pytest.fixture
async def client(make_settings: MakeSettings, lines: Lines) -> AsyncIterator[httpx.AsyncClient]:
    app = create_service_app(
        make_settings(), title="T", description="D", routers=[_router], max_body_bytes=5000
    )
    lines.configure()
    async with app_client(app) as client:
        yield client


def _checked(response: httpx.Response, status: int, code: str) -> ErrorResponse:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    answer = ErrorResponse.model_validate_json(response.content)
    assert answer.error == code
    assert answer.detail
    assert answer.timestamp.endswith("Z")
    assert answer.request_id == response.headers["x-request-id"]
    return answer


@pytest.mark.parametrize("error", _ERRORS, ids=lambda error: error.__name__)
async def test_each_error_is_answered_with_its_status_and_code(
    client: httpx.AsyncClient, error: type[ServiceError], lines: Lines
) -> None:
    response = await client.get(f"/raise/{error.__name__}")
    answer = _checked(response, error.status, error.code)
    assert answer.detail == "What happened; what to do."
    assert response.headers["retry-after"] == "3", "whole seconds, rounded up"
    assert [line["event"] for line in lines.all()] == [
        "request_started",
        "request_failed" if error.status == 500 else "request_completed",
    ]


def test_codes_are_stable_and_the_docstring_lists_every_error() -> None:
    assert {error.code: error.status for error in _ERRORS} == {
        "internal_error": 500,
        "invalid_request": 400,
        "unauthenticated": 401,
        "forbidden": 403,
        "user_not_permitted": 403,
        "not_found": 404,
        "conflict": 409,
        "payload_too_large": 413,
        "unprocessable": 422,
        "too_many_requests": 429,
        "bad_dependency": 502,
        "unavailable": 503,
        "deadline_exceeded": 504,
        "capacity_exceeded": 507,
    }
    documented = [row.split()[-3:] for row in str(inspect.getdoc(errors)).splitlines() if row]
    for error in _ERRORS:
        assert [error.__name__, str(error.status), error.code] in documented


async def test_a_detail_with_a_lone_surrogate_is_escaped_and_shortened(
    client: httpx.AsyncClient,
) -> None:
    answer = _checked(await client.get("/raise/surrogate"), 404, "not_found")
    assert answer.detail.startswith("There is no \\ud800")
    assert len(answer.detail) == 2000


async def test_an_unexpected_error_hides_its_message_and_is_logged_once(
    client: httpx.AsyncClient, lines: Lines
) -> None:
    response = await client.get("/raise/unexpected")
    answer = _checked(response, 500, "internal_error")
    assert "hunter2" not in response.text
    assert "request id" in answer.detail
    (failed,) = [line for line in lines.all() if line["level"] == "error"]
    assert failed["event"] == "request_failed"
    assert failed["request_id"] == answer.request_id
    assert failed["exception"][0]["message"] == "internal detail: hunter2"


async def test_a_response_that_violates_its_model_is_a_500(client: httpx.AsyncClient) -> None:
    _checked(await client.get("/bad-answer"), 500, "internal_error")


_DEEP = b"[" * 2400 + b"]" * 2400


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_request"),
        (b"", 422, "unprocessable"),
        (b"null", 422, "unprocessable"),
        (b"[]", 422, "unprocessable"),
        (b'{"name": "\xff\xfe"}', 400, "invalid_request"),
        (b'{"name": "\xed\xa0\x80"}', 422, "unprocessable"),
        (_DEEP, None, None),
        (b'{"name": ' + _DEEP + b"}", None, None),
        (b'{"name": "x", "weights": [NaN]}', 422, "unprocessable"),
        (b'{"name": "x", "weights": [1e999]}', None, None),
        (b'{"name": "x", "weights": [' + b"9" * 4400 + b"]}", None, None),
        (b'{"name": "x", "tags": {"a": ' + b"9" * 4400 + b"}}", None, None),
        (b'{"name": "lone \\ud800"}', 422, "unprocessable"),
        (b'{"name": "x", "tags": {"lone \\ud800": 1}}', None, None),
        (b'{"lone \\ud800": 1}', 422, "unprocessable"),
        (b'{"name": "x", "colour": "lone \\ud800"}', 422, "unprocessable"),
        (b'{"name": "x", "name": 1}', 422, "unprocessable"),
        (b'{"name": "nul \\u0000"}', 200, None),
        (b"\xef\xbb\xbf{}", None, None),
        (b"{'name': 1}", 400, "invalid_request"),
    ],
)
async def test_no_request_body_causes_a_500(
    client: httpx.AsyncClient, body: bytes, status: int | None, code: str | None
) -> None:
    response = await client.post(
        "/items", content=body, headers={"content-type": "application/json"}
    )
    if status is not None:
        assert response.status_code == status
    assert response.status_code < 500
    if response.status_code >= 400:
        answer = ErrorResponse.model_validate_json(response.content)
        assert code in {None, answer.error}
        assert len(answer.detail) <= 2000


async def test_a_wrong_content_type_is_refused(client: httpx.AsyncClient) -> None:
    for content_type in ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded"):
        response = await client.post(
            "/items", content=b'{"name": "x"}', headers={"content-type": content_type}
        )
        _checked(response, 422, "unprocessable")


async def test_each_wrong_field_is_named_without_its_value(
    client: httpx.AsyncClient,
) -> None:
    body: dict[str, Any] = {
        "name": "hunter2-and-more",
        "colour": "hunter2",
        "weights": ["hunter2"],
        "unknown": "hunter2",
    }
    answer = _checked(await client.post("/items", json=body), 422, "unprocessable")
    for name in ("name", "colour", "weights.0", "unknown"):
        assert f"{name}: " in answer.detail
    assert "hunter2" not in answer.detail
    assert "'red' or 'blue'" in answer.detail


async def test_a_wrong_query_parameter_is_named(client: httpx.AsyncClient) -> None:
    answer = _checked(await client.get("/items?limit=10000"), 422, "unprocessable")
    assert answer.detail.startswith("query.limit: ")
    _checked(await client.get("/items?limit=%ff"), 422, "unprocessable")


def test_only_the_first_problems_are_listed() -> None:
    problems = [{"loc": ("body", n), "msg": "wrong"} for n in range(8)]
    assert describe_problems(problems).endswith("4: wrong; and 3 more")
    assert len(describe_problems([{"loc": ("x" * 9999,), "msg": "wrong"}])) < 100


async def test_unknown_paths_and_methods(client: httpx.AsyncClient) -> None:
    _checked(await client.get("/nowhere"), 404, "not_found")
    _checked(await client.get("/%ff%00/x"), 404, "not_found")
    response = await client.delete("/items")
    _checked(response, 405, "method_not_allowed")
    assert response.headers["allow"]


async def test_a_body_over_the_limit_is_refused_whatever_its_announced_length(
    client: httpx.AsyncClient, lines: Lines
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b'"' + b"x" * 99

    fits = json.dumps({"name": "x"}).encode()
    json_type = {"content-type": "application/json"}
    padded = await client.post("/items", content=fits + b" " * 4900, headers=json_type)
    assert padded.status_code == 200
    announced = await client.post("/items", content=b"x" * 5001)
    assert "5,000 bytes" in _checked(announced, 413, "payload_too_large").detail
    chunked = await client.post("/items", content=pieces())
    _checked(chunked, 413, "payload_too_large")
    misannounced = await client.post("/items", content=pieces(), headers={"content-length": "10"})
    _checked(misannounced, 413, "payload_too_large")
    assert not [line for line in lines.all() if line["level"] == "error"]


async def test_a_real_server_refuses_an_oversized_body_while_it_arrives(
    make_settings: MakeSettings, lines: Lines
) -> None:
    app = create_service_app(
        make_settings(), title="T", description="D", routers=[_router], max_body_bytes=5000
    )
    async with uvicorn_server(app) as url, httpx.AsyncClient(trust_env=False) as client:
        response = await client.post(f"{url}/items", content=b"x" * 5_000_000)
        _checked(response, 413, "payload_too_large")


@pytest.mark.parametrize("path", ["/later", "/later-async"])
async def test_a_failing_background_task_does_not_change_the_answer(
    client: httpx.AsyncClient, lines: Lines, path: str
) -> None:
    answer = await client.post(path)
    assert (answer.status_code, answer.json()) == (200, {"done": True})
    assert [line["status"] for line in lines.of("request_completed")] == [200]
    assert lines.of("request_failed") == []
    (failed,) = lines.of("background_task_failed")
    assert failed["exception"][0]["message"] == "too late"
    assert failed["request_id"] == answer.headers["x-request-id"]


async def test_only_errors_that_were_retried_ask_not_to_be_repeated(
    client: httpx.AsyncClient,
) -> None:
    for error in _ERRORS:
        answer = await client.get(f"/raise/{error.__name__}")
        assert answer.headers.get("x-should-retry") == ("false" if error.retried else None)
    assert errors.Unavailable.retried
    assert not errors.TooManyRequests.retried
