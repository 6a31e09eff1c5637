"""What callers of the chat service see."""

from typing import Any

import httpx
import pytest

from chat.app import create_app
from chat.retrieval import GatewayRetriever
from chat.settings import Settings
from chat.tests.fakes import FakeModel, FakeRetriever, passage
from shared.api_client import ServiceAPIClient
from shared.testing import FakeKeys, app_client

pytestmark = pytest.mark.anyio

SETTINGS = Settings(
    project_name="fin-advisor",
    environment="test",
    service_name="chat",
    api_gateway_url="http://gateway.test/dev",
    chat_model_id="fake-model",
)
QUESTION: dict[str, Any] = {"messages": [{"role": "user", "content": "How do I save?"}]}


def client() -> httpx.AsyncClient:
    return app_client(create_app(SETTINGS, retriever=FakeRetriever(passage(0)), model=FakeModel()))


async def test_a_question_is_answered_with_citations_and_usage() -> None:
    async with client() as http:
        response = await http.post("/messages", json=QUESTION)
    assert response.status_code == 200
    body = response.json()
    assert body["message"] == {"role": "assistant", "content": "Save first [savings#0]."}
    assert body["citations"][0] == {
        "document_id": "savings",
        "passage_id": "savings#0",
        "title": "Savings",
        "passage": "Save first.",
        "score": 0.8,
    }
    assert body["usage"] == {"input_tokens": 10, "output_tokens": 5}


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [turn("user", "  ")]}, "messages.0.content"),
        ({"messages": [turn("user", "x" * 60_000)]}, "messages.0.content"),
        ({"messages": [turn("system", "x")]}, "messages.0.role"),
        ({"messages": [turn("assistant", "x")]}, "begin with the user"),
        ({"messages": [turn("user", "x"), turn("assistant", "y")]}, "last message"),
        ({"messages": [turn("user", "x"), turn("user", "y")]}, "alternate"),
        ({"messages": [turn("user", "x")] * 51}, "messages"),
        (QUESTION | {"top_k": 0}, "top_k"),
        (QUESTION | {"top_k": 10_000}, "top_k"),
        (QUESTION | {"filter": []}, "filter"),
        (QUESTION | {"surprise": "s3cr3t"}, "surprise"),
    ],
)
async def test_a_wrong_body_is_refused_by_the_name_of_its_field(
    body: dict[str, Any], named: str
) -> None:
    async with client() as http:
        response = await http.post("/messages", json=body)
    assert response.status_code == 422
    error = response.json()
    assert error["error"] == "unprocessable"
    assert named in error["detail"]
    assert "s3cr3t" not in error["detail"]
    assert error["request_id"] == response.headers["x-request-id"]


async def test_passages_come_from_s3vector_through_the_gateway_with_the_own_key() -> None:
    asked: list[httpx.Request] = []

    def gateway(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"passages": [passage(0).model_dump() | {"new": 1}]})

    calls = ServiceAPIClient(
        settings=SETTINGS, keys=FakeKeys("chat-key"), transport=httpx.MockTransport(gateway)
    )
    app = create_app(SETTINGS, retriever=GatewayRetriever(calls), model=FakeModel())
    async with app_client(app) as http:
        response = await http.post("/messages", json=QUESTION | {"filter": {"topic": "saving"}})
    assert response.status_code == 200
    assert str(asked[0].url) == "http://gateway.test/dev/s3vector/query"
    assert asked[0].headers["x-api-key"] == "chat-key"


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (httpx.Response(200, json={"hits": []}), 502, "bad_dependency"),
        (httpx.Response(200, content=b"<html>"), 502, "bad_dependency"),
        (
            httpx.Response(422, json={"error": "unprocessable", "detail": "filter: $foo?"}),
            422,
            "unprocessable",
        ),
        (httpx.Response(500, json={"error": "internal_error", "detail": "?"}), 502, "bad_answer"),
    ],
)
async def test_what_s3vector_answers_becomes_the_right_error(
    answer: httpx.Response, status: int, code: str
) -> None:
    calls = ServiceAPIClient(
        settings=SETTINGS,
        keys=FakeKeys(),
        transport=httpx.MockTransport(lambda _: answer),
        attempts=1,
    )
    app = create_app(SETTINGS, retriever=GatewayRetriever(calls), model=FakeModel())
    async with app_client(app) as http:
        response = await http.post("/messages", json=QUESTION)
    assert (response.status_code, response.json()["error"]) == (status, code)


async def test_the_openapi_document_is_complete() -> None:
    async with client() as http:
        document = (await http.get("/openapi.json")).json()
    operation = document["paths"]["/messages"]["post"]
    assert operation["summary"]
    assert set(operation["responses"]) >= {"200", "400", "413", "422", "429", "502", "503", "504"}
    error = operation["responses"]["422"]["content"]["application/json"]["schema"]["$ref"]
    assert error.endswith("/ErrorResponse")
