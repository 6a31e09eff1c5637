"""The stand-in for Bedrock, called by the real boto3."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.bedrock_api import BedrockApi
from local.aws.server import EmbeddedAws, boto3_client
from local.bedrock.runtime import Bedrock

TITAN = "amazon.titan-embed-text-v2:0"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROMPT = (
    '<passage id="fund#0" document="fund" title="Emergency fund">An emergency fund covers three to '
    "six months of expenses &amp; more. It is kept in cash.</passage>\n"
    "<question>How large should an emergency fund be?</question>"
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    aws = EmbeddedAws([BedrockApi(Bedrock())])
    aws.serve()
    yield aws.url
    aws.stop()


@pytest.fixture
def client(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    made = boto3_client("bedrock-runtime", endpoint_url=url, region="us-east-1")
    yield made
    made.close()


def embedding(client: Any, **body: Any) -> dict[str, Any]:
    answer = client.invoke_model(modelId=TITAN, body=json.dumps(body))
    content: dict[str, Any] = json.loads(answer["body"].read())
    return content


def converse(client: Any, *texts: str, **arguments: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    messages = [
        {"role": roles[number % 2], "content": [{"text": text}]}
        for number, text in enumerate(texts)
    ]
    answer: dict[str, Any] = client.converse(modelId=CLAUDE, messages=messages, **arguments)
    return answer


@pytest.mark.parametrize("dimensions", [256, 512, 1024])
def test_an_embedding_has_titans_shape(client: Any, dimensions: int) -> None:
    content = embedding(client, inputText="hello world", dimensions=dimensions, normalize=True)
    vector = content["embedding"]
    assert len(vector) == dimensions
    assert sum(value * value for value in vector) == pytest.approx(1)
    assert content["inputTextTokenCount"] > 0
    assert content["embeddingsByType"]["float"] == vector


def test_dimensions_and_normalisation_have_titans_defaults(client: Any) -> None:
    assert len(embedding(client, inputText="hello")["embedding"]) == 1024
    plain = embedding(client, inputText="hello", normalize=False)["embedding"]
    assert sum(value * value for value in plain) != pytest.approx(1)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"inputText": ""}, "minLength"),
        ({}, "minLength"),
        ({"inputText": "x" * 50_001}, "maxLength: 50000, actual: 50001"),
        ({"inputText": "x", "dimensions": 100}, "not a valid enum value"),
        ({"inputText": "x", "more": 1}, "extraneous key"),
    ],
)
def test_what_titan_refuses_is_a_validation_exception(
    client: Any, body: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        embedding(client, **body)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_an_answer_cites_the_passages_of_the_prompt(client: Any) -> None:
    answer = converse(client, PROMPT, system=[{"text": "Answer from the passages."}])
    (block,) = answer["output"]["message"]["content"]
    assert block["text"] == (
        "An emergency fund covers three to six months of expenses & more. [fund#0]"
    )
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert usage["inputTokens"] > usage["outputTokens"] > 0
    assert answer["stopReason"] == "end_turn"


def test_a_conversation_is_answered_from_its_last_message(client: Any) -> None:
    answer = converse(client, "Hello", "Hello!", PROMPT)
    assert "[fund#0]" in answer["output"]["message"]["content"][0]["text"]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "assistant", "content": [{"text": "x"}]}],
        [{"role": "user", "content": [{"text": "x"}]}] * 2,
        [{"role": "user", "content": [{"text": " "}]}],
        [
            {"role": "user", "content": [{"text": "x"}]},
            {"role": "assistant", "content": [{"text": "x"}]},
        ],
    ],
    ids=["assistant first", "not alternating", "blank", "assistant last"],
)
def test_a_conversation_that_bedrock_refuses_is_refused(
    client: Any, messages: list[dict[str, Any]]
) -> None:
    with pytest.raises(ClientError) as caught:
        client.converse(modelId=CLAUDE, messages=messages)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "us.anthropic.claude-sonnet-5-5",
        {"inferenceConfig": {"temperature": 0.0}},
        "The model returned the following errors: `temperature` is deprecated for this model.",
    ),
    (
        "us.anthropic.claude-opus-4-7",
        {"inferenceConfig": {"topP": 0.9}},
        "The model returned the following errors: `top_p` is deprecated for this model.",
    ),
    (
        "openai.gpt-oss-120b-1:0",
        {"inferenceConfig": {"stopSequences": ["x"]}},
        "This model doesn't support the stopSequences field.",
    ),
    (
        CLAUDE,
        {"additionalModelRequestFields": {"output_config": {"effort": "low"}}},
        r"extraneous key \[output_config\] is not permitted",
    ),
    ("acme.model-v1", {}, "The provided model identifier is invalid."),
]


@pytest.mark.parametrize(("model_id", "arguments", "message"), REFUSED)
def test_each_family_refuses_what_it_does_not_take(
    client: Any, model_id: str, arguments: dict[str, Any], message: str
) -> None:
    messages = [{"role": "user", "content": [{"text": PROMPT}]}]
    with pytest.raises(ClientError, match=message) as caught:
        client.converse(modelId=model_id, messages=messages, **arguments)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def documents(count: int) -> list[dict[str, Any]]:
    return [
        {
            "document": {
                "format": "txt",
                "name": f"Document {number}",
                "source": {"content": [{"text": f"A fund has {number} fees."}]},
                "citations": {"enabled": True},
            }
        }
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("model_id", "count", "message"),
    [
        ("amazon.nova-pro-v1:0", 1, "This model doesn't support citations."),
        ("openai.gpt-oss-120b-1:0", 1, "This model doesn't support documents."),
        (CLAUDE, 6, "at most 5 documents"),
    ],
)
def test_documents_that_a_model_does_not_read_are_refused(
    client: Any, model_id: str, count: int, message: str
) -> None:
    content = [*documents(count), {"text": "<question>How many fees has a fund?</question>"}]
    with pytest.raises(ClientError, match=message):
        client.converse(modelId=model_id, messages=[{"role": "user", "content": content}])


@pytest.mark.parametrize(
    ("model_id", "status"),
    [
        (CLAUDE.removeprefix("us."), "LEGACY"),
        ("anthropic.claude-sonnet-5-5", "ACTIVE"),
        (TITAN, "ACTIVE"),
    ],
)
def test_a_foundation_model_has_a_life_cycle(url: str, model_id: str, status: str) -> None:
    control = boto3_client("bedrock", endpoint_url=url, region="us-east-1")
    details = control.get_foundation_model(modelIdentifier=model_id)["modelDetails"]
    assert details["modelId"] == model_id
    assert details["modelLifecycle"]["status"] == status
    with pytest.raises(control.exceptions.ResourceNotFoundException):
        control.get_foundation_model(modelIdentifier="acme.model-v1")
