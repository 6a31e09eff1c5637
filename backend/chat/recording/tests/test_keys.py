"""The data keys of records in DynamoDB."""

import asyncio
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from chat.recording.keys import CURRENT, DynamoRecordKeys, conversation_owner, document_owner
from shared.errors import BadDependency

pytestmark = pytest.mark.anyio

OWNERS = [conversation_owner("c"), document_owner("savings")]


@pytest.fixture
def client(aws: Any) -> Any:
    return boto3.client("dynamodb", config=Config(proxies={}))


@pytest.fixture
def table(aws: Any) -> str:
    name: str = aws.create_table(f"keys-{uuid4().hex}")
    return name


async def test_each_owner_gets_a_key_of_its_own_and_keeps_it(client: Any, table: str) -> None:
    keys = DynamoRecordKeys(table, client=lambda: client)
    first = await keys.keys(OWNERS)
    assert set(first) == set(OWNERS)
    assert len({key.secret for key in first.values()}) == len({key.id for key in first.values()})
    assert {len(key.secret) for key in first.values()} == {32}
    assert await DynamoRecordKeys(table, client=lambda: client).keys([*OWNERS, *OWNERS]) == first


async def test_two_processes_agree_on_a_new_key(client: Any, table: str) -> None:
    """The second one finds the first one's key, although it had seen none."""
    late = DynamoRecordKeys(table, client=lambda: client)
    seen = late.find(OWNERS)
    assert seen == {}
    first = await DynamoRecordKeys(table, client=lambda: client).keys(OWNERS)
    assert {owner: late._create(owner) for owner in OWNERS} == first


async def test_an_erased_key_is_never_used_again(client: Any, table: str) -> None:
    keys = DynamoRecordKeys(table, client=lambda: client)
    before = (await keys.keys(OWNERS))[OWNERS[1]]
    client.delete_item(TableName=table, Key={"pk": {"S": OWNERS[1]}, "sk": {"S": CURRENT}})
    after = (await keys.keys(OWNERS))[OWNERS[1]]
    assert after.id != before.id
    assert after.secret != before.secret


async def test_more_owners_than_a_batch(client: Any, table: str) -> None:
    keys = DynamoRecordKeys(table, client=lambda: client)
    owners = [document_owner(str(number)) for number in range(101)]
    found = await keys.keys(owners)
    assert await asyncio.to_thread(keys.find, owners) == found
    assert len(found) == 101


async def test_a_missing_table_is_a_refusal(client: Any, table: str) -> None:
    keys = DynamoRecordKeys("no-such-table", client=lambda: client)
    with pytest.raises(BadDependency, match="read the keys of records"):
        await keys.keys(OWNERS)
