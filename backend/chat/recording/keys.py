"""The data keys of records: one for each conversation and one for each document.

A key is an item with the sort key `current`. Erasing replaces it with an item that says when and
why. A document that is cited again afterwards gets a new key, with another id.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from chat.recording.cipher import KEY_BYTES
from shared.aws.clients import aws_errors, error_code
from shared.errors import Unavailable
from shared.request import deadline

CURRENT: Final = "current"
ERASED: Final = "erased#"

_BATCH: Final = 100
_ATTEMPTS: Final = 5
_TOO_LATE: Final = "The table of record keys did not answer in time; try again."


class DataKey(NamedTuple):
    """A key, and the id by which records name it."""

    id: str
    secret: bytes


class RecordKeys(Protocol):
    """Where data keys are kept."""

    async def keys(self, owners: Sequence[str]) -> Mapping[str, DataKey]:
        """Return the key of each owner; an owner without one gets a new one.

        Raises:
            Unavailable: The store failed or is throttling.
            BadDependency: The store refused.
        """


def conversation_owner(partition: str) -> str:
    """Return the owner of a conversation's key."""
    return f"conversation#{partition}"


def document_owner(document_id: str) -> str:
    """Return the owner of a document's key."""
    return f"document#{document_id}"


def new_key() -> DataKey:
    """Return a random key."""
    return DataKey(secrets.token_hex(16), secrets.token_bytes(KEY_BYTES))


class DynamoRecordKeys:
    """Data keys in DynamoDB.

    Args:
        table: The table, with the keys `pk` and `sk`.
        client: Makes or returns the boto3 client.
    """

    def __init__(self, table: str, *, client: Callable[[], Any]) -> None:
        self._table = table
        self._client = client

    async def keys(self, owners: Sequence[str]) -> Mapping[str, DataKey]:
        return await deadline.in_time(asyncio.to_thread(self._keys, owners), _TOO_LATE)

    def _keys(self, owners: Sequence[str]) -> Mapping[str, DataKey]:
        distinct = list(dict.fromkeys(owners))
        found = self.find(distinct)
        for owner in distinct:
            if owner not in found:
                found[owner] = self._create(owner)
        return found

    def find(self, owners: Sequence[str]) -> dict[str, DataKey]:
        """Return the keys that exist. Blocks."""
        found: dict[str, DataKey] = {}
        for start in range(0, len(owners), _BATCH):
            found.update(self._batch(owners[start : start + _BATCH]))
        return found

    def _batch(self, owners: Iterable[str]) -> dict[str, DataKey]:
        found: dict[str, DataKey] = {}
        left: Any = {
            self._table: {
                "Keys": [_place(owner, CURRENT) for owner in owners],
                # A key that was just erased must not be used again.
                "ConsistentRead": True,
            }
        }
        with aws_errors("read the keys of records"):
            for attempt in range(_ATTEMPTS):
                if attempt:
                    time.sleep(0.05 * 2**attempt)
                answer = self._client().batch_get_item(RequestItems=left)
                for item in answer["Responses"].get(self._table, []):
                    found[item["pk"]["S"]] = _key_of(item)
                left = answer.get("UnprocessedKeys")
                if not left:
                    return found
        raise Unavailable("The table of record keys is throttling; try again.", retry_after=1)

    def _create(self, owner: str) -> DataKey:
        key = new_key()
        item = {
            **_place(owner, CURRENT),
            "key_id": {"S": key.id},
            "secret": {"B": key.secret},
            "created_at": {"N": str(int(time.time()))},
        }
        client = self._client()
        with aws_errors("create the key of a record"):
            try:
                client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk)",
                )
            except client.exceptions.ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                # Another process created it first.
                return self._batch([owner])[owner]
        return key


def _place(owner: str, sort: str) -> dict[str, Any]:
    return {"pk": {"S": owner}, "sk": {"S": sort}}


def _key_of(item: Mapping[str, Any]) -> DataKey:
    return DataKey(item["key_id"]["S"], item["secret"]["B"])
