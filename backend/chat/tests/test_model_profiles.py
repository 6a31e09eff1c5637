"""Four model families work with no setting but their id, on the local stand-in for Bedrock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chat.answers.check import Segment
from chat.bedrock_model import BedrockModel, bedrock_model
from chat.chat_model import PromptPassage, UnusableCompletion
from chat.models import Message
from chat.settings import Settings
from local.aws.bedrock_api import BedrockApi
from local.aws.server import EmbeddedAws
from local.bedrock.event_stream import event, failure
from local.bedrock.runtime import Bedrock
from shared.aws import clients
from shared.errors import Unavailable

pytestmark = pytest.mark.anyio

SENTENCE = "An emergency fund covers three to six months of expenses."
PASSAGES = [
    PromptPassage("cards#0", "Cards", "Pay off credit cards first."),
    PromptPassage("fund#0", "Emergency fund", f"{SENTENCE} It is kept in cash."),
]
QUESTION = [
    Message(
        role="user",
        content="".join(
            f'<passage id="{item.id}" title="{item.title}">{item.text}</passage>\n'
            for item in PASSAGES
        )
        + "<question>How large should an emergency fund be?</question>",
    )
]


@dataclass(frozen=True)
class Family:
    """A model, and which optional features it supports."""

    model_id: str
    takes_temperature: bool
    thinks: bool
    cites: bool


FAMILIES = [
    Family("us.anthropic.claude-sonnet-4-5-20250929-v1:0", True, False, True),
    Family("us.anthropic.claude-sonnet-5-5", False, True, True),
    Family("us.amazon.nova-pro-v1:0", True, False, False),
    Family("openai.gpt-oss-120b-1:0", True, True, False),
]


class Recorder(Bedrock):
    """The local stand-in for Bedrock; `given` lists its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Any] = []
        self.end: bytes | None = None
        """If it is set, the end of a stream after three events."""

    def answer(self, path: str, body: bytes) -> Any:
        answer = super().answer(path, body)
        if answer.stream is not None and self.end is not None:
            answer = replace(answer, stream=[*list(answer.stream)[:3], self.end])
        self.given.append(answer)
        return self.given[-1]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Recorder, str]]:
    bedrock = Recorder()
    aws = EmbeddedAws([BedrockApi(bedrock)])
    aws.serve()
    yield bedrock, aws.url
    aws.stop()


@pytest.fixture
def bedrock(served: tuple[Recorder, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", served[1])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    clients._client.cache_clear()  # a client keeps the endpoint it was made with
    served[0].given.clear()
    served[0].end = None
    yield served[0]
    clients._client.cache_clear()


def model(family: Family, **settings: Any) -> BedrockModel:
    return bedrock_model(
        Settings(
            project_name="fin-advisor",
            environment="dev",
            service_name="chat",
            aws_region="us-east-1",
            api_gateway_url="https://gateway.test/dev",
            chat_model_id=family.model_id,
            conversations_table="conversations",
            **settings,
        )
    )


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.model_id)
async def test_every_family_answers_by_its_id_alone(family: Family, bedrock: Recorder) -> None:
    completion = await model(family).complete("Answer.", QUESTION, passages=PASSAGES)
    assert completion.text == f"{SENTENCE} [fund#0]"
    assert completion.is_whole
    [answer] = bedrock.given
    blocks = answer.content["output"]["message"]["content"]
    assert ("reasoningContent" in blocks[0]) == family.thinks


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.model_id)
async def test_every_family_answers_with_all_options_set(family: Family, bedrock: Recorder) -> None:
    chosen = model(
        family,
        chat_temperature=0.2,
        chat_model_fields={"output_config": {"effort": "low"}},
        chat_citations="native",
    )
    for _ in range(2):
        completion = await chosen.complete("Answer.", QUESTION, passages=PASSAGES)
        assert SENTENCE in completion.text
        assert completion.is_whole
        cited = {name for segment in completion.segments for name in segment.passage_ids}
        assert cited == ({"fund#0"} if family.cites else set())
        assert family.cites or completion.text == f"{SENTENCE} [fund#0]"
    refusals = [answer for answer in bedrock.given if answer.status != 200]
    takes_effort = "claude-sonnet-5-5" in family.model_id
    expected = [family.takes_temperature, takes_effort, family.cites].count(False)
    assert len(refusals) == expected
    assert len(bedrock.given) == expected + 2


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.model_id)
async def test_every_family_says_that_it_was_cut_off(family: Family, bedrock: Recorder) -> None:
    limit = 22 if family.thinks else 5
    completion = await model(family, chat_max_output_tokens=limit).complete("Answer.", QUESTION)
    assert SENTENCE.startswith(completion.text)
    assert completion.stop_reason == "max_tokens"
    assert not completion.is_whole


@pytest.mark.parametrize("family", [family for family in FAMILIES if family.thinks])
async def test_a_model_that_only_thought_is_an_error(family: Family, bedrock: Recorder) -> None:
    with pytest.raises(UnusableCompletion, match="CHAT_MAX_OUTPUT_TOKENS"):
        await model(family, chat_max_output_tokens=3).complete("Answer.", QUESTION)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.model_id)
@pytest.mark.parametrize("citations", ["prompt", "native"])
async def test_every_family_streams_the_answer_that_it_gives_at_once(
    family: Family, citations: str, bedrock: Recorder
) -> None:
    chosen = model(family, chat_citations=citations, chat_temperature=0.2)
    beginnings: list[list[Segment]] = []

    async def written(segments: Sequence[Segment]) -> None:
        beginnings.append(list(segments))

    streamed = await chosen.complete("Answer.", QUESTION, passages=PASSAGES, written=written)
    at_once = await chosen.complete("Answer.", QUESTION, passages=PASSAGES)
    assert streamed == at_once
    assert bedrock.given[-2].stream is not None
    texts = ["".join(segment.text for segment in one) for one in beginnings]
    assert all(streamed.text.startswith(text) for text in texts)
    assert streamed.text == texts[-1]
    assert texts == sorted(texts, key=len)


@pytest.mark.parametrize(
    "end",
    [
        b"",
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "more"}})[:-7],
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "more"}})[:-1] + b"x",
        failure("modelStreamErrorException", "The model failed."),
        failure("throttlingException", "Too many tokens."),
    ],
    ids=["ends", "ends in an event", "wrong checksum", "model fails", "throttled"],
)
async def test_a_stream_that_breaks_off_is_no_answer(end: bytes, bedrock: Recorder) -> None:
    bedrock.end = end
    beginnings: list[Sequence[Segment]] = []

    async def written(segments: Sequence[Segment]) -> None:
        beginnings.append(segments)

    with pytest.raises(Unavailable, match="broke off"):
        await model(FAMILIES[0]).complete("Answer.", QUESTION, written=written)
    assert len(bedrock.given) == 1
