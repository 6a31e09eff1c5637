"""The guardrail of Bedrock over the real client and a real socket; it fails closed."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from chat.boundary.guard import BedrockGuardrail
from chat.tests.fakes import BedrockServer, bedrock
from shared.aws import clients
from shared.errors import BadDependency, DeadlineExceeded, Unavailable
from shared.request import deadline

pytestmark = pytest.mark.anyio

NONE: dict[str, Any] = {"action": "NONE", "outputs": [], "assessments": [], "usage": {}}


def intervened(*assessments: dict[str, Any]) -> dict[str, Any]:
    outputs = [{"text": "Sorry."}]
    return NONE | {
        "action": "GUARDRAIL_INTERVENED",
        "outputs": outputs,
        "assessments": list(assessments),
    }


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    clients._client.cache_clear()  # a client keeps the endpoint it was made with
    yield
    clients._client.cache_clear()


def guardrail_at(server: BedrockServer, monkeypatch: pytest.MonkeyPatch) -> BedrockGuardrail:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
    return BedrockGuardrail("gr1abc", "7", region="us-east-1")


async def test_questions_are_input_and_answers_are_output(monkeypatch: pytest.MonkeyPatch) -> None:
    with bedrock((200, NONE)) as server:
        guardrail = guardrail_at(server, monkeypatch)
        assert await guardrail.refuses("Why?", "question") is None
        assert await guardrail.refuses("x" * 25_001, "answer") is None
    asked, answered = server.requests
    assert asked == {
        "path": "/guardrail/gr1abc/version/7/apply",
        "body": {"source": "INPUT", "content": [{"text": {"text": "Why?"}}]},
    }
    assert answered["body"]["source"] == "OUTPUT"
    assert [len(one["text"]["text"]) for one in answered["body"]["content"]] == [25_000, 1]


@pytest.mark.parametrize(
    ("assessment", "name"),
    [
        (
            {
                "topicPolicy": {
                    "topics": [
                        {"name": "Seen", "type": "DENY", "action": "NONE"},
                        {"name": "Stocks", "type": "DENY", "action": "BLOCKED"},
                    ]
                }
            },
            "Stocks",
        ),
        (
            {
                "contentPolicy": {
                    "filters": [{"type": "HATE", "confidence": "HIGH", "action": "BLOCKED"}]
                }
            },
            "HATE",
        ),
        ({"wordPolicy": {"customWords": [{"match": "acme", "action": "BLOCKED"}]}}, "acme"),
        ({"newPolicy": {"things": []}}, "intervened"),
    ],
)
async def test_an_intervention_names_what_was_found(
    assessment: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bedrock((200, intervened({}, assessment))) as server:
        assert await guardrail_at(server, monkeypatch).refuses("x", "answer") == name


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, {"__type": "ThrottlingException", "message": "slow"}), Unavailable),
        ((500, {"__type": "InternalServerException", "message": "?"}), Unavailable),
        ((403, {"__type": "AccessDeniedException", "message": "no"}), BadDependency),
        ((404, {"__type": "ResourceNotFoundException", "message": "no"}), BadDependency),
        ((200, {"action": "SOMETHING_NEW"}), BadDependency),
        ((200, {}), BadDependency),
    ],
)
async def test_a_guardrail_that_does_not_judge_is_an_error(
    answer: tuple[int, dict[str, Any]], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    with bedrock(answer) as server, pytest.raises(error):
        await guardrail_at(server, monkeypatch).refuses("x", "question")


async def test_a_hanging_guardrail_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with bedrock((0, {})) as server:
        guardrail = guardrail_at(server, monkeypatch)
        with deadline.scope(time.time() + 0.5), pytest.raises(DeadlineExceeded):
            await guardrail.refuses("x", "question")
