"""Each package as built answers API Gateway's requests and other events."""

import json
from typing import Any

import pytest

from local.blueprint import SERVICES
from local.tests.zips.zip_functions import (
    KEYS,
    QUESTION,
    Answer,
    Surroundings,
    ZipFunction,
    json_body,
    of,
)
from shared.testing import api_gateway_event

pytestmark = pytest.mark.anyio


# Requests


async def test_health(function: ZipFunction) -> None:
    answer = await function.request("GET", "/health")
    assert answer.status == 200
    assert answer.headers["content-type"] == ["application/json"]
    assert answer.headers["x-request-id"] == ["the-gateways-id"]
    health = answer.json()
    assert (health["status"], health["service"]) == ("healthy", function.service)


@of("api")
async def test_api_asks_its_neighbours_with_its_own_key(
    surroundings: Surroundings, function: ZipFunction
) -> None:
    surroundings.neighbours.calls.clear()
    answer = await function.request("GET", "/test")
    assert (answer.status, answer.json()["healthy"]) == (200, True)
    assert answer.json()["trace_id"] == "5759e988bd862e3fe1be46a994272793"
    paths = [f"/{name}/health" for name in sorted(SERVICES) if name != "api"]
    assert sorted(surroundings.neighbours.calls) == [("GET", path, KEYS["api"]) for path in paths]
    assert surroundings.neighbours.exports > 0


FORMS = pytest.mark.parametrize("form", ["text", "base64"])


@of("api")
@FORMS
async def test_api_takes_a_question(function: ZipFunction, form: str) -> None:
    answer = await function.request("POST", "/ask", **json_body({"question": f"¿{QUESTION}"}, form))
    assert (answer.status, answer.json()["answer"]) == (200, "Three to six months of expenses.")


@of("chat")
@FORMS
async def test_chat_answers_from_passages_by_the_model(function: ZipFunction, form: str) -> None:
    content = {"messages": [{"role": "user", "content": QUESTION}]}
    answer = await function.request("POST", "/messages", **json_body(content, form))
    assert answer.status == 200, answer.body
    assert "three to six months" in answer.json()["answer"]
    assert [one["document_id"] for one in answer.json()["citations"]] == ["emergency-fund"]


@of("s3vector")
@FORMS
async def test_s3vector_finds_what_it_stored(function: ZipFunction, form: str) -> None:
    document = {"id": f"fund-{form}", "text": f"An emergency fund, {form}."}
    stored = await function.request(
        "PUT", "/documents", **json_body({"documents": [document]}, form)
    )
    assert (stored.status, stored.json()["passages"]) == (200, 1), stored.body
    content = {"text": f"emergency fund {form}", "top_k": 1}
    found = await function.request("POST", "/query", **json_body(content, form))
    assert [one["document_id"] for one in found.json()["passages"]] == [f"fund-{form}"]


@of("runner")
@FORMS
async def test_runner_runs_a_job(
    surroundings: Surroundings, function: ZipFunction, form: str
) -> None:
    """The HTML parser runs in a process of its own, which needs the package's path too."""
    page = {"id": "page", "content_type": "text/html", "text": "<p>Save <b>first</b>. ¿No?</p>"}
    made = await function.request("POST", "/jobs", **json_body({"documents": [page]}, form))
    assert made.status == 202, made.body
    surroundings.neighbours.calls.clear()
    done = await function.request("POST", f"/jobs/{made.json()['id']}/run")
    assert (done.status, done.json()["state"]) == (200, "succeeded"), done.body
    assert surroundings.neighbours.calls == [("PUT", "/s3vector/documents", KEYS["runner"])]


async def test_bodies_in_base64_arrive_byte_by_byte(probe: ZipFunction) -> None:
    sent = bytes(range(256))
    answer = await probe.request("POST", "/probe/echo", body=sent)
    assert answer.json()["body"].encode("latin-1") == sent


async def test_repeated_headers_and_parameters_are_all_received_and_sent(
    probe: ZipFunction,
) -> None:
    event = api_gateway_event(
        "POST", f"/{probe.service}/probe/echo", query="tag=a&tag=b%26&x=&tag=a"
    )
    event["headers"]["X-Many"] = "two"
    event["multiValueHeaders"]["X-Many"] = ["one", "two"]
    answer = Answer.of(await probe.invoke(event))
    seen = answer.json()
    assert seen["tags"] == ["a", "b&", "a"]
    assert sorted(seen["query"]) == [["tag", "a"], ["tag", "a"], ["tag", "b&"], ["x", ""]]
    assert dict(seen["headers"])["x-many"] == "one, two"
    assert answer.headers["set-cookie"] == ["a=1; Secure", "b=2; Secure"]
    assert answer.headers["x-single"] == ["one"]


# Other events


async def test_the_direct_invocation_says_whether_the_own_key_is_readable(
    function: ZipFunction,
) -> None:
    result = await function.invoke({"test": "secrets"})
    assert result.function_error is None
    assert json.loads(result.payload) == {
        "test": "secrets",
        "service": function.service,
        "secret": f"fin-advisor/dev/{function.service}/api-key",
        "readable": True,
    }


GATEWAY = api_gateway_event("POST", "/api/health", body=b"x")


@pytest.mark.parametrize(
    "event",
    [
        {},
        "text",
        None,
        [7],
        {"Records": [{"eventSource": "aws:sqs", "body": "x"}]},
        {"source": "aws.events", "detail-type": "Scheduled Event"},
        {"version": "2.0", "rawPath": "/api/health", "requestContext": {"http": {}}},
        {"task": "no-such-task"},
        GATEWAY | {"requestContext": None},
    ],
)
async def test_any_other_event_is_a_clear_error_and_the_next_request_works(
    function: ZipFunction, event: Any
) -> None:
    pid = function.pid
    result = await function.invoke(event)
    assert result.function_error is None, result.payload
    error = json.loads(result.payload)
    assert error["error"] == "unsupported_event"
    assert "API Gateway" in error["detail"]
    assert error["request_id"] == result.request_id
    assert (await function.request("GET", "/health")).status == 200
    assert function.pid == pid


@pytest.mark.parametrize(
    "wrong",
    [
        {"body": "x", "isBase64Encoded": True},
        {"multiValueHeaders": {"host": ["x", 1]}},
        {"multiValueQueryStringParameters": "x"},
    ],
    ids=["body", "header", "query"],
)
async def test_a_malformed_gateway_event_is_an_error_response(
    function: ZipFunction, wrong: dict[str, Any]
) -> None:
    event = api_gateway_event("POST", f"/{function.service}/health") | wrong
    answer = Answer.of(await function.invoke(event))
    assert (answer.status, answer.json()["error"]) == (500, "unreadable_event")
    assert (await function.request("GET", "/health")).status == 200
