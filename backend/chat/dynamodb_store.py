"""Conversations in a DynamoDB table.

A conversation is a partition: an item for each turn, and the head, an item that counts the turns.
A transaction adds a turn and updates the head, if the count is still the one that was read. So
turns of concurrent calls get different numbers, and no turn revives an erased conversation.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from chat.conversation_store import (
    ConversationGone,
    Kept,
    answer_id_of,
    parse_answer_id,
    partition_of,
)
from shared.answers import Feedback, Turn
from shared.aws.clients import aws_errors, error_code
from shared.errors import Unavailable
from shared.request import deadline

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_TURN: Final = "turn#"
# The head's sort key. It sorts after every turn, so one descending query reads the head first and
# then the newest turns.
_HEAD: Final = "~"
_OWNER: Final = "user_id"  # `owner` is one of DynamoDB's reserved words
_ATTEMPTS: Final = 8
_BATCH: Final = 25
_SECONDS_A_DAY: Final = 86_400
_TIMED_OUT: Final = "The conversations table did not answer in time; try again."


class DynamoConversations:
    """Conversations in DynamoDB, deleted some days after their last turn.

    Args:
        table: The table, with the keys `pk` and `sk` and the TTL attribute `expires_at`.
        client: Returns the DynamoDB client.
        days: After how many days without a new turn a conversation expires.
        now: Returns the Unix time in seconds.
    """

    def __init__(
        self,
        table: str,
        *,
        client: Callable[[], Any],
        days: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._client = client
        self._days = days
        self._now = now

    async def create(self, conversation_id: str, *, owner: str | None = None) -> None:
        await self._in_time(self._create, conversation_id, owner)

    async def read(
        self, conversation_id: str, *, limit: int, owner: str | None = None
    ) -> Kept | None:
        return await self._in_time(self._read, conversation_id, limit, owner)

    async def append(
        self, conversation_id: str, turn: Turn, *, count: int, owner: str | None = None
    ) -> str:
        return await self._in_time(self._append, conversation_id, turn, count, owner)

    async def erase(self, conversation_id: str, *, owner: str | None = None) -> bool:
        return await self._in_time(self._erase, conversation_id, owner)

    async def erase_any(self, conversation_id: str) -> bool:
        """Delete a conversation of any owner, as `erase` does; for operators."""
        return await self._in_time(self._erase, conversation_id, None, True)

    async def rate(self, answer_id: str, feedback: Feedback, *, owner: str | None = None) -> bool:
        return await self._in_time(self._rate, answer_id, feedback, owner)

    async def _in_time[T](self, call: Callable[..., T], *arguments: Any) -> T:
        return await deadline.in_time(asyncio.to_thread(call, *arguments), _TIMED_OUT)

    def _create(self, conversation_id: str, owner: str | None) -> None:
        head = {
            **_key(partition_of(conversation_id), _HEAD),
            "turns": {"N": "0"},
            "expires_at": self._expires_at(),
            **_owned(owner),
        }
        with aws_errors("begin a conversation"):
            self._client().put_item(TableName=self._table, Item=head)

    def _read(self, conversation_id: str, limit: int, owner: str | None) -> Kept | None:
        partition = partition_of(conversation_id)
        with aws_errors("read the conversation"):
            items = self._client().query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": partition}},
                ConsistentRead=True,
                ScanIndexForward=False,
                Limit=limit + 1,
            )["Items"]
        # DynamoDB deletes expired items with a delay of up to days.
        if not items or items[0]["sk"]["S"] != _HEAD or self._has_expired(items[0]):
            return None
        head, *newest = items
        if head.get(_OWNER) != _owned(owner).get(_OWNER):
            return None
        return Kept(
            [_turn(partition, item) for item in reversed(newest)],
            int(head["turns"]["N"]),
            int(head["expires_at"]["N"]),
        )

    def _expires_at(self) -> dict[str, str]:
        return {"N": str(int(self._now()) + self._days * _SECONDS_A_DAY)}

    def _has_expired(self, item: dict[str, Any]) -> bool:
        return int(item["expires_at"]["N"]) <= self._now()

    def _append(self, conversation_id: str, turn: Turn, count: int, owner: str | None) -> str:
        partition = partition_of(conversation_id)
        for attempt in range(_ATTEMPTS):
            if attempt:
                # Another call added a turn first.
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - only spreads load
                count = self._count(partition)
            if self._try_write(partition, turn, count, owner):
                return answer_id_of(partition, count + 1)
        raise Unavailable(
            "Could not keep the turn: too many questions at once in one conversation.",
            retry_after=1,
        )

    def _count(self, partition: str) -> int:
        with aws_errors("read the conversation"):
            answer = self._client().get_item(
                TableName=self._table, Key=_key(partition, _HEAD), ConsistentRead=True
            )
        if "Item" not in answer:
            raise ConversationGone
        return int(answer["Item"]["turns"]["N"])

    def _try_write(self, partition: str, turn: Turn, count: int, owner: str | None) -> bool:
        expires_at = self._expires_at()
        head = {
            "TableName": self._table,
            "Key": _key(partition, _HEAD),
            "UpdateExpression": "SET turns = :next, expires_at = :expires_at",
            "ConditionExpression": "turns = :count",
            "ExpressionAttributeValues": {
                ":count": {"N": str(count)},
                ":next": {"N": str(count + 1)},
                ":expires_at": expires_at,
            },
        }
        item = {
            **_key(partition, _turn_key(count + 1)),
            "expires_at": expires_at,
            **_owned(owner),
            "turn": {"S": turn.model_dump_json(exclude={"answer_id", "feedback"})},
        }
        try:
            with aws_errors("keep the turn"):
                self._client().transact_write_items(
                    TransactItems=[
                        {"Update": head},
                        {
                            "Put": {
                                "TableName": self._table,
                                "Item": item,
                                "ConditionExpression": "attribute_not_exists(pk)",
                            }
                        },
                    ]
                )
        except Exception as error:
            if _was_contended(error):
                return False
            raise
        return True

    def _erase(self, conversation_id: str, owner: str | None, of_any_owner: bool = False) -> bool:
        partition = partition_of(conversation_id)
        condition, values = _owned_by(owner)
        if of_any_owner:
            condition, values = "attribute_exists(pk)", {}
        # Delete the head first: without it, the conversation is unknown and takes no turn.
        with aws_errors("erase the conversation"):
            client = self._client()
            try:
                head = client.delete_item(
                    TableName=self._table,
                    Key=_key(partition, _HEAD),
                    ReturnValues="ALL_OLD",
                    # A head that is missing may belong to an erasure that was interrupted.
                    ConditionExpression=f"attribute_not_exists(pk) OR {condition}",
                    **({"ExpressionAttributeValues": values} if values else {}),
                )
            except client.exceptions.ConditionalCheckFailedException:
                return False
            pages = client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": partition}},
                ProjectionExpression=f"pk, sk, {_OWNER}",
                ConsistentRead=True,
            )
            expected = _owned(owner).get(_OWNER)
            items = [item for page in pages for item in page["Items"]]
            keys = [
                {"pk": item["pk"], "sk": item["sk"]}
                for item in items
                if of_any_owner or item.get(_OWNER) == expected
            ]
            for start in range(0, len(keys), _BATCH):
                self._delete(client, keys[start : start + _BATCH])
        return "Attributes" in head or bool(keys)

    def _delete(self, client: Any, keys: list[Any]) -> None:
        left: Any = {self._table: [{"DeleteRequest": {"Key": key}} for key in keys]}
        for _ in range(_ATTEMPTS):
            left = client.batch_write_item(RequestItems=left).get("UnprocessedItems")
            if not left:
                return
        raise Unavailable("Could not erase the whole conversation; try again.", retry_after=1)

    def _rate(self, answer_id: str, feedback: Feedback, owner: str | None) -> bool:
        place = parse_answer_id(answer_id)
        if place is None:
            return False
        partition, number = place
        condition, values = _owned_by(owner)
        try:
            with aws_errors("keep the feedback"):
                self._client().update_item(
                    TableName=self._table,
                    Key=_key(partition, _turn_key(number)),
                    UpdateExpression="SET feedback = :feedback",
                    ConditionExpression="attribute_exists(pk) AND expires_at > :now "
                    f"AND {condition}",
                    ExpressionAttributeValues={
                        ":feedback": {"S": feedback.model_dump_json()},
                        ":now": {"N": str(int(self._now()))},
                        **values,
                    },
                )
        except Exception as error:
            cause = _client_error(error)
            if cause is not None and error_code(cause) == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _key(partition: str, sort: str) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": sort}}


def _owned(owner: str | None) -> dict[str, Any]:
    return {} if owner is None else {_OWNER: {"S": owner}}


def _owned_by(owner: str | None) -> tuple[str, dict[str, Any]]:
    """Return the condition that an item belongs to an owner, and its values."""
    if owner is None:
        return f"attribute_not_exists({_OWNER})", {}
    return f"{_OWNER} = :owner", {":owner": {"S": owner}}


def _turn_key(number: int) -> str:
    return f"{_TURN}{number:09d}"


def _turn(partition: str, item: dict[str, Any]) -> Turn:
    # Not in the stored JSON: the id follows from the item's key, and feedback is added later as an
    # attribute of the item.
    fields = json.loads(item["turn"]["S"])
    fields["answer_id"] = answer_id_of(partition, int(item["sk"]["S"].removeprefix(_TURN)))
    if "feedback" in item:
        fields["feedback"] = json.loads(item["feedback"]["S"])
    return Turn.model_validate(fields)


def _was_contended(error: Exception) -> bool:
    cause = _client_error(error)
    if cause is None or error_code(cause) != "TransactionCanceledException":
        return False
    reasons = {reason.get("Code") for reason in cause.response.get("CancellationReasons", [])}
    return bool(reasons & {"ConditionalCheckFailed", "TransactionConflict"})


def _client_error(error: BaseException) -> "ClientError | None":
    from botocore.exceptions import ClientError

    cause = error.__cause__ if not isinstance(error, ClientError) else error
    return cause if isinstance(cause, ClientError) else None
