"""A service's OpenAPI document is right behind the gateway."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Response
from openapi_spec_validator import validate

from shared.description.document import DescribedApp, operations
from shared.description.headers import ACCEPTED, IdempotencyKey
from shared.models import error_responses

pytestmark = pytest.mark.anyio

_ERROR = {"$ref": "#/components/schemas/ErrorResponse"}
_EITHER = {"anyOf": [_ERROR, {"$ref": "#/components/schemas/GatewayError"}]}


def _document(**options: bool) -> dict[str, Any]:
    router = APIRouter()

    @router.post("/jobs", status_code=202, responses=ACCEPTED | error_responses(409))
    async def create_job(response: Response, idempotency_key: IdempotencyKey = None) -> None:
        response.headers["location"] = "jobs/1"

    values = {"needs_key": True, "has_users": False, "needs_user": False, **options}
    app = DescribedApp(**values, title="jobs")
    app.include_router(router)
    return app.openapi()


def test_the_document_is_valid() -> None:
    for has_users in (False, True):
        validate(_document(has_users=has_users))


async def test_the_server_is_relative_to_the_documents_own_url() -> None:
    app = DescribedApp(needs_key=True, has_users=False, needs_user=False)
    transport = httpx.ASGITransport(app=app, root_path="/api")
    async with httpx.AsyncClient(transport=transport, base_url="http://host.test") as http:
        document = (await http.get("/api/openapi.json")).json()
    assert document["servers"] == [{"url": "."}]


def test_an_error_that_the_gateway_answers_too_has_both_bodies() -> None:
    answers = _document(has_users=True)["components"]["responses"]
    schemas = {
        name: answer["content"]["application/json"]["schema"] for name, answer in answers.items()
    }
    both = {name for name, schema in schemas.items() if schema == _EITHER}
    assert both == {
        *("Unauthorized", "Forbidden", "ContentTooLarge", "TooManyRequests"),
        *("InternalServerError", "BadGateway", "GatewayTimeout"),
    }
    gateway = {"UriTooLong", "RequestHeaderFieldsTooLarge"}
    assert {schemas[name]["$ref"].rpartition("/")[2] for name in gateway} == {"GatewayError"}
    assert all(schemas[name] == _ERROR for name in set(schemas) - both - gateway)


def test_the_errors_of_a_route_join_those_of_every_operation() -> None:
    [(method, path, operation)] = operations(_document())
    assert (method, path, operation["operationId"]) == ("POST", "/jobs", "create_job")
    assert list(operation["responses"]) == [
        *("202", "400", "403", "409", "413", "414", "422", "429", "431"),
        *("500", "502", "503", "504"),
    ]
    assert "Location" in operation["responses"]["202"]["headers"]


def test_a_key_is_declared_where_one_is_required() -> None:
    document = _document()
    assert document["components"]["securitySchemes"]["x-api-key"]["name"] == "x-api-key"
    assert document["security"] == [{"x-api-key": []}]
    assert "security" not in _document(needs_key=False)


def test_users_are_declared_where_they_may_call() -> None:
    [[_, _, operation]] = operations(_document(has_users=True))
    assert "401" in operation["responses"]
    both: dict[str, list[str]] = {"x-api-key": [], "user": []}
    assert _document(has_users=True)["security"] == [{"x-api-key": []}, both]
    assert _document(has_users=True, needs_user=True)["security"] == [both]
