"""The Bedrock adapter over the real boto3 client and a real socket."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from chat.chat_model import BedrockModel
from chat.models import Message
from chat.tests.fakes import BedrockServer, bedrock, written
from shared.aws import clients
from shared.errors import BadDependency, DeadlineExceeded, Unavailable
from shared.request import deadline

pytestmark = pytest.mark.anyio

THROTTLED: dict[str, Any] = {"__type": "ThrottlingException", "message": "Too many requests"}
QUESTION = [Message(role="user", content="How do I save?")]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    clients._client.cache_clear()  # a client keeps the endpoint it was made with
    yield
    clients._client.cache_clear()


def model_at(server: BedrockServer, monkeypatch: pytest.MonkeyPatch) -> BedrockModel:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
    return BedrockModel("us.model-v1:0", region="us-east-1", max_output_tokens=64, temperature=0)


async def test_the_conversation_and_the_limits_are_sent_and_the_tokens_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with bedrock((200, written("Save."))) as server:
        completion = await model_at(server, monkeypatch).complete("Be brief.", QUESTION)
    assert completion == ("Save.", 12, 3)
    request = server.requests[0]
    assert request["path"] == "/model/us.model-v1%3A0/converse"
    assert request["body"]["system"] == [{"text": "Be brief."}]
    assert request["body"]["inferenceConfig"] == {"maxTokens": 64, "temperature": 0}


async def test_a_passing_throttle_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    with bedrock((429, THROTTLED), (200, written("Save."))) as server:
        completion = await model_at(server, monkeypatch).complete("Be brief.", QUESTION)
    assert completion.text == "Save."
    assert len(server.requests) == 2


async def test_a_lasting_throttle_is_unavailable_and_says_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with bedrock((429, THROTTLED)) as server:
        model = model_at(server, monkeypatch)
        with pytest.raises(Unavailable) as caught:
            await model.complete("Be brief.", QUESTION)
    assert caught.value.retry_after
    assert len(server.requests) == clients.MAX_ATTEMPTS


async def test_a_hanging_model_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with bedrock((0, {})) as server:
        model = model_at(server, monkeypatch)
        with deadline.scope(time.time() + 0.5), pytest.raises(DeadlineExceeded):
            await model.complete("Be brief.", QUESTION)
        server.released.set()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (403, {"__type": "AccessDeniedException", "message": "not allowed"}),
        (200, written("  ") | {"stopReason": "content_filtered"}),
    ],
)
async def test_a_refusal_and_an_empty_answer_are_bad_dependencies(
    status: int, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with bedrock((status, answer)) as server, pytest.raises(BadDependency):
        await model_at(server, monkeypatch).complete("Be brief.", QUESTION)
