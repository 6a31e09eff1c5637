"""The Bedrock adapter over the real boto3 client and a real socket."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chat.answers.check import Segment
from chat.bedrock_model import BedrockModel
from chat.chat_model import (
    ConversationTooLong,
    ModelRefused,
    PromptPassage,
    UnusableCompletion,
)
from chat.converse import ModelOptions
from chat.models import Message
from chat.tests.fakes import BedrockServer, bedrock, converse_answer
from shared.aws import clients
from shared.errors import DeadlineExceeded, Unavailable
from shared.logging import configure_logging
from shared.request import deadline

pytestmark = pytest.mark.anyio

THROTTLED: dict[str, Any] = {"__type": "ThrottlingException", "message": "Too many requests"}
QUESTION = [Message(role="user", content="How do I save?")]
PASSAGES = [PromptPassage(f"savings#{number}", "Savings", f"Text {number}.") for number in range(7)]
PROMPT = [
    Message(
        role="user",
        content='<passage id="savings#0">Text 0.</passage>\n<question>Why?</question>',
    )
]


def refusal(message: str) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": "ValidationException", "message": message}


DEPRECATED = refusal(
    "The model returned the following errors: `temperature` is deprecated for this model."
)
NO_CITATIONS = refusal("This model doesn't support citations.")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    clients._client.cache_clear()  # a client keeps the endpoint it was made with
    yield
    clients._client.cache_clear()


def model_at(
    server: BedrockServer, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> BedrockModel:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
    chosen = ModelOptions(max_output_tokens=64, **options)
    return BedrockModel("us.model-v1:0", region="us-east-1", options=chosen)


async def test_optional_parameters_are_sent_only_if_they_are_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with bedrock((200, converse_answer("Save."))) as server:
        completion = await model_at(server, monkeypatch).complete("Be brief.", QUESTION)
    assert completion.segments == (Segment("Save."),)
    assert (completion.input_tokens, completion.output_tokens) == (12, 3)
    assert completion.stop_reason == "end_turn"
    request = server.requests[0]
    assert request["path"] == "/model/us.model-v1%3A0/converse"
    assert request["body"] == {
        "system": [{"text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"text": "How do I save?"}]}],
        "inferenceConfig": {"maxTokens": 64},
    }


async def test_a_refused_parameter_is_left_out_of_all_later_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fields = {"output_config": {"effort": "low"}}
    unknown = refusal("Malformed input request: #: extraneous key [output_config] is not permitted")
    with bedrock(DEPRECATED, unknown, (200, converse_answer("Save."))) as server:
        model = model_at(server, monkeypatch, temperature=0.0, fields=fields)
        assert (await model.complete("Be brief.", QUESTION)).text == "Save."
        await model.complete("Be brief.", QUESTION)
    bodies = [request["body"] for request in server.requests]
    assert [body["inferenceConfig"] for body in bodies] == [
        {"maxTokens": 64, "temperature": 0},
        *[{"maxTokens": 64}] * 3,
    ]
    assert ["additionalModelRequestFields" in body for body in bodies] == [True, True, False, False]
    assert all(body["system"] == [{"text": "Be brief."}] for body in bodies)


async def test_two_parameters_that_one_refusal_names_are_both_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = refusal("`temperature` and `top_p` cannot both be specified for this model.")
    with bedrock(both, (200, converse_answer("Save."))) as server:
        await model_at(server, monkeypatch, temperature=0.1, fields={"top_p": 0.9}).complete(
            "Be brief.", QUESTION
        )
    assert server.requests[1]["body"].keys() == {"system", "messages", "inferenceConfig"}
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "message",
    [
        "This model doesn't support the system field. Remove system and try again.",
        "The maximum tokens you requested exceeds the model limit (inferenceConfig.maxTokens).",
        "`temperature` is deprecated for this model.",  # although the request has no temperature
    ],
)
async def test_a_required_parameter_is_never_left_out(
    message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bedrock(refusal(message)) as server:
        model = model_at(server, monkeypatch)
        with pytest.raises(ModelRefused, match="bedrock_error"):
            await model.complete("Be brief.", QUESTION)
    assert len(server.requests) == 1


async def test_concurrent_requests_can_meet_the_same_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with bedrock(DEPRECATED, DEPRECATED, (200, converse_answer("Save."))) as server:
        model = model_at(server, monkeypatch, temperature=0.5)
        answers = [model.complete("Be brief.", QUESTION) for _ in range(2)]
        assert [answer.text for answer in await asyncio.gather(*answers)] == ["Save."] * 2


async def test_native_citations_come_from_at_most_five_documents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cited(text: str, **location: Any) -> dict[str, Any]:
        citation = {"location": {"documentChunk": location}, "sourceContent": []}
        return {"citationsContent": {"content": [{"text": text}], "citations": [citation]}}

    blocks: list[dict[str, Any]] = [
        {"reasoningContent": {"reasoningText": {"text": "Hm, 12 %.", "signature": "s"}}},
        {"text": "In short: "},
        cited("save", documentIndex=0, start=1, end=2),
        {"text": ", and "},
        cited("wait", documentIndex=3, start=0, end=1),
        cited(".", documentIndex=9, start=0, end=1),
    ]
    with bedrock((200, converse_answer(*blocks))) as server:
        model = model_at(server, monkeypatch, native_citations=True)
        completion = await model.complete("Be brief.", PROMPT, passages=PASSAGES)
    assert completion.text == "In short: save, and wait."
    assert [segment.passage_ids for segment in completion.segments] == [
        (),
        ("savings#1",),
        (),
        ("savings#6",),
        (),
    ]
    content = server.requests[0]["body"]["messages"][0]["content"]
    documents = [block["document"] for block in content if "document" in block]
    assert len(documents) == 4
    assert all(document["citations"] == {"enabled": True} for document in documents)
    chunks = [chunk["text"] for item in documents for chunk in item["source"]["content"]]
    assert chunks == [passage.text for passage in PASSAGES]
    assert content[-1] == {"text": "<question>Why?</question>"}


async def test_a_model_without_citations_gets_the_passages_in_the_prompt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with bedrock(NO_CITATIONS, (200, converse_answer("Save [savings#0]."))) as server:
        model = model_at(server, monkeypatch, native_citations=True)
        for _ in range(2):
            completion = await model.complete("Be brief.", PROMPT, passages=PASSAGES)
    assert completion.segments == (Segment("Save [savings#0]."),)
    assert len(server.requests) == 3
    for request in server.requests[1:]:
        assert request["body"]["messages"][0]["content"] == [{"text": PROMPT[0].content}]


async def test_a_brief_throttle_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    with bedrock((429, THROTTLED), (200, converse_answer("Save."))) as server:
        completion = await model_at(server, monkeypatch).complete("Be brief.", QUESTION)
    assert completion.text == "Save."
    assert len(server.requests) == 2


async def test_a_lasting_throttle_is_unavailable_and_says_when_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with bedrock((429, THROTTLED)) as server:
        model = model_at(server, monkeypatch)
        with pytest.raises(Unavailable) as caught:
            await model.complete("Be brief.", QUESTION)
    assert caught.value.retry_after
    assert len(server.requests) == clients.MODEL_ATTEMPTS


async def test_a_hanging_model_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with bedrock((0, {})) as server:
        model = model_at(server, monkeypatch)
        with deadline.scope(time.time() + 0.5), pytest.raises(DeadlineExceeded):
            await model.complete("Be brief.", QUESTION)
        server.released.set()


@pytest.mark.parametrize(
    ("status", "code", "message", "expected", "advice"),
    [
        (403, "AccessDeniedException", "You don't have access.", ModelRefused, "Model access"),
        (
            404,
            "ResourceNotFoundException",
            "It reached its end of life.",
            ModelRefused,
            "CHAT_MODEL_ID",
        ),
        (
            400,
            "ValidationException",
            "Invocation of model ID x with on-demand throughput isn't supported.",
            ModelRefused,
            "inference profile",
        ),
        (
            400,
            "ValidationException",
            "Input is too long for requested model.",
            ConversationTooLong,
            "top_k",
        ),
        (400, "ValidationException", "No idea.", ModelRefused, "log"),
    ],
)
async def test_a_refusal_says_what_to_do_and_its_log_line_says_why(
    status: int,
    code: str,
    message: str,
    expected: type[Exception],
    advice: str,
    *,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure_logging(log_level="INFO", service_name="chat", environment="test")
    with bedrock((status, {"__type": code, "message": message})) as server:
        model = model_at(server, monkeypatch)
        with pytest.raises(expected, match=advice) as caught:
            await model.complete("Be brief.", QUESTION)
    assert message not in str(caught.value)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    [line] = [line for line in lines if line["event"] == "bedrock_error"]
    assert (line["code"], line["aws_message"]) == (code, message)


@pytest.mark.parametrize(
    "stop_reason",
    ["max_tokens", "content_filtered", "guardrail_intervened", "tool_use", "something_new"],
)
async def test_a_stop_reason_is_passed_on_and_no_truncated_answer_looks_complete(
    stop_reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bedrock((200, converse_answer("Save half", stop_reason=stop_reason))) as server:
        completion = await model_at(server, monkeypatch).complete("Be brief.", QUESTION)
    assert (completion.text, completion.stop_reason) == ("Save half", stop_reason)
    assert not completion.is_whole


@pytest.mark.parametrize(
    ("stop_reason", "why"),
    [
        ("max_tokens", "CHAT_MAX_OUTPUT_TOKENS"),
        ("content_filtered", "filter"),
        ("guardrail_intervened", "guardrail"),
        ("model_context_window_exceeded", "context window"),
        ("malformed_model_output", "malformed"),
        ("malformed_tool_use", "tool"),
        ("tool_use", "tool"),
        ("something_new", "something_new"),
        ("end_turn", "end_turn"),
    ],
)
async def test_an_answer_without_text_is_an_error_with_the_reason(
    stop_reason: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "I may say 12 %."}}}
    with (
        bedrock((200, converse_answer(thought, "  ", stop_reason=stop_reason))) as server,
        pytest.raises(UnusableCompletion, match=why) as caught,
    ):
        await model_at(server, monkeypatch).complete("Be brief.", QUESTION)
    assert caught.value.stop_reason == stop_reason
    assert "12 %" not in str(caught.value)


async def test_texts_without_citations_are_separate_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    with bedrock((200, converse_answer("Save.\n", "Wait. "))) as server:
        completion = await model_at(server, monkeypatch).complete("Be brief.", QUESTION)
    assert completion.text == "Save.\n\nWait."
