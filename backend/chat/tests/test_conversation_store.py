"""Conversations in DynamoDB, and in the fake that the other tests use."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from chat.conversation_store import (
    ConversationGone,
    ConversationStore,
    new_conversation_id,
    parse_answer_id,
    partition_of,
)
from chat.dynamodb_store import DynamoConversations
from chat.tests.fakes import FakeConversations
from shared.answers import CheckedAnswer, Feedback, Turn
from shared.errors import BadDependency, Unavailable

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


class Atomic:
    """A boto3 client whose calls run one at a time.

    moto checks a condition and then writes, so that concurrent calls could both succeed.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name in {"get_paginator", "exceptions"}:
            return method

        def call(**arguments: Any) -> Any:
            with self._lock:
                return method(**arguments)

        return call


class Clock:
    def __init__(self) -> None:
        self.seconds = NOW.timestamp()

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def client(aws: Any) -> Any:
    return boto3.client("dynamodb", config=Config(proxies={}))


@pytest.fixture
def table(aws: Any) -> str:
    name: str = aws.create_table(f"conversations-{uuid4().hex}")
    return name


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dynamodb(client: Any, table: str, clock: Clock) -> DynamoConversations:
    atomic = Atomic(client)
    return DynamoConversations(table, client=lambda: atomic, days=30, now=clock)


@pytest.fixture(params=["dynamodb", "fake"])
def store(request: pytest.FixtureRequest) -> Iterator[ConversationStore]:
    if request.param == "fake":
        yield FakeConversations()
    else:
        yield request.getfixturevalue("dynamodb")


def turn(question: str) -> Turn:
    answer = CheckedAnswer(
        answer=f'"{question}" \U0001f4b0 [1]', status="answered", disclosure="AI"
    )
    return Turn(answer_id="", asked_at=NOW, question=question, answer=answer)


async def new_conversation(store: ConversationStore, *questions: str) -> tuple[str, list[str]]:
    conversation = new_conversation_id()
    await store.create(conversation)
    answers = [
        await store.append(conversation, turn(question), count=number)
        for number, question in enumerate(questions)
    ]
    return conversation, answers


async def questions(store: ConversationStore, conversation: str, limit: int = 50) -> list[str]:
    kept = await store.read(conversation, limit=limit)
    assert kept is not None
    return [one.question for one in kept.turns]


async def test_turns_are_read_as_they_were_written_in_their_order(
    store: ConversationStore,
) -> None:
    conversation, answers = await new_conversation(store, "one", "two", "three")
    kept = await store.read(conversation, limit=50)
    assert kept is not None
    assert [one.question for one in kept.turns] == ["one", "two", "three"]
    assert [one.answer_id for one in kept.turns] == answers
    assert kept.turns[0].answer == turn("one").answer
    assert kept.turns[0].asked_at == NOW
    assert kept.total == 3


async def test_the_newest_turns_are_read_oldest_first(store: ConversationStore) -> None:
    conversation, _ = await new_conversation(store, *map(str, range(12)))
    assert await questions(store, conversation, limit=2) == ["10", "11"]


async def test_a_conversation_without_turns_exists(store: ConversationStore) -> None:
    conversation, _ = await new_conversation(store)
    assert await questions(store, conversation) == []


async def test_unknown_ids_are_unknown(store: ConversationStore) -> None:
    conversation, (answer,) = await new_conversation(store, "one")
    assert await store.read(new_conversation_id(), limit=5) is None
    assert await store.read(partition_of(conversation), limit=5) is None
    assert not await store.erase(new_conversation_id())
    for unknown in ("a_0_1", "", answer[:-1] + "2", answer + "1", conversation):
        assert not await store.rate(unknown, Feedback(rating="up"))


async def test_two_conversations_never_mix(store: ConversationStore) -> None:
    first, _ = await new_conversation(store, "a")
    second, _ = await new_conversation(store, "b", "c")
    assert await questions(store, first) == ["a"]
    assert await questions(store, second) == ["b", "c"]


async def test_concurrent_turns_are_all_kept(store: ConversationStore) -> None:
    conversation, _ = await new_conversation(store, "first")
    names = [f"question {number}" for number in range(6)]
    answers = await asyncio.gather(
        *(store.append(conversation, turn(name), count=1) for name in names)
    )
    assert len(set(answers)) == 6
    kept = await store.read(conversation, limit=50)
    assert kept is not None
    assert sorted(one.question for one in kept.turns[1:]) == names
    assert kept.total == 7
    by_id = {one.answer_id: one.question for one in kept.turns}
    assert [by_id[answer] for answer in answers] == names


async def test_an_erased_conversation_is_gone_at_once(store: ConversationStore) -> None:
    conversation, (answer, *_) = await new_conversation(store, "one", "two")
    other, _ = await new_conversation(store, "other")
    assert await store.erase(conversation)
    assert await store.read(conversation, limit=5) is None
    assert not await store.rate(answer, Feedback(rating="up"))
    assert not await store.erase(conversation)
    assert await questions(store, other) == ["other"]


async def test_a_late_turn_does_not_revive_an_erased_conversation(
    store: ConversationStore,
) -> None:
    conversation, _ = await new_conversation(store, "one")
    await store.erase(conversation)
    with pytest.raises(ConversationGone):
        await store.append(conversation, turn("two"), count=1)
    assert await store.read(conversation, limit=5) is None


async def test_feedback_is_kept_with_its_answer_and_replaced(store: ConversationStore) -> None:
    conversation, (first, _) = await new_conversation(store, "one", "two")
    assert await store.rate(first, Feedback(rating="up"))
    assert await store.rate(first, Feedback(rating="down", reason="Wrong year."))
    kept = await store.read(conversation, limit=5)
    assert kept is not None
    assert [one.feedback for one in kept.turns] == [
        Feedback(rating="down", reason="Wrong year."),
        None,
    ]


async def test_many_turns_are_erased(
    dynamodb: DynamoConversations, client: Any, table: str
) -> None:
    conversation, _ = await new_conversation(dynamodb, *map(str, range(30)))
    assert await dynamodb.erase(conversation)
    assert client.scan(TableName=table)["Items"] == []


async def test_an_interrupted_erasure_is_completed_by_the_next(
    dynamodb: DynamoConversations, client: Any, table: str
) -> None:
    conversation, _ = await new_conversation(dynamodb, "one")
    key = {"pk": {"S": partition_of(conversation)}, "sk": {"S": "~"}}
    client.delete_item(TableName=table, Key=key)
    assert await dynamodb.read(conversation, limit=5) is None
    assert await dynamodb.erase(conversation)
    assert client.scan(TableName=table)["Items"] == []


async def test_an_expired_conversation_is_unknown_before_dynamodb_deletes_it(
    dynamodb: DynamoConversations, clock: Clock
) -> None:
    conversation, (answer,) = await new_conversation(dynamodb, "one")
    clock.seconds += 30 * 86_400 - 1
    assert await questions(dynamodb, conversation) == ["one"]
    clock.seconds += 1
    assert await dynamodb.read(conversation, limit=5) is None
    assert not await dynamodb.rate(answer, Feedback(rating="up"))


async def test_a_new_turn_postpones_the_expiry_of_a_conversation(
    dynamodb: DynamoConversations, clock: Clock
) -> None:
    conversation, _ = await new_conversation(dynamodb, "one")
    clock.seconds += 29 * 86_400
    await dynamodb.append(conversation, turn("two"), count=1)
    clock.seconds += 29 * 86_400
    assert (await questions(dynamodb, conversation))[-1] == "two"


async def test_the_table_contains_no_conversation_id(
    dynamodb: DynamoConversations, client: Any, table: str
) -> None:
    conversation, (answer,) = await new_conversation(dynamodb, "one")
    assert conversation not in str(client.scan(TableName=table)["Items"])
    assert conversation not in answer


async def test_a_missing_table_is_a_clear_error(client: Any) -> None:
    store = DynamoConversations("missing", client=lambda: client, days=30)
    with pytest.raises(BadDependency, match="ResourceNotFoundException"):
        await store.create(new_conversation_id())


async def test_a_table_that_does_not_answer_is_unavailable() -> None:
    nowhere = boto3.client(
        "dynamodb",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )
    store = DynamoConversations("table", client=lambda: nowhere, days=30)
    with pytest.raises(Unavailable):
        await store.read(new_conversation_id(), limit=5)


def test_ids_cannot_be_guessed() -> None:
    ids = {new_conversation_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(len(one) >= 2 + 128 // 6 for one in ids)
    assert parse_answer_id("a_" + "0" * 40 + "_12") == ("0" * 40, 12)


@pytest.mark.parametrize(("owner", "other"), [("ana", "ben"), ("ana", None), (None, "ana")])
async def test_a_conversation_is_its_owners(
    store: ConversationStore, owner: str | None, other: str | None
) -> None:
    conversation = new_conversation_id()
    await store.create(conversation, owner=owner)
    answer = await store.append(conversation, turn("one"), count=0, owner=owner)
    feedback = Feedback(rating="up")
    assert await store.read(conversation, limit=5, owner=other) is None
    assert not await store.rate(answer, feedback, owner=other)
    assert not await store.erase(conversation, owner=other)
    assert await store.read(conversation, limit=5, owner=owner) is not None
    assert await store.rate(answer, feedback, owner=owner)
    assert await store.erase(conversation, owner=owner)


async def test_an_operator_erases_the_conversation_of_any_owner(
    dynamodb: DynamoConversations,
) -> None:
    conversation = new_conversation_id()
    await dynamodb.create(conversation, owner="ana")
    await dynamodb.append(conversation, turn("one"), count=0, owner="ana")
    assert await dynamodb.erase_any(conversation)
    assert await dynamodb.read(conversation, limit=5, owner="ana") is None
