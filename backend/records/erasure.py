"""Erases the texts of a conversation or a document from all records, by destroying its key."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from chat.recording.keys import CURRENT, ERASED
from records.bucket import RecordsBucket
from records.opened import NotARecord, owners
from records.versions import RECORDS, Version
from shared.aws.clients import aws_errors
from shared.ingestion.parts import document_of

BACKUP_DAYS: Final = 35
"""How long DynamoDB's point-in-time recovery keeps a deleted item, if it is switched on."""

MAX_REASON_CHARACTERS: Final = 1_000


class StillRetained(Exception):
    """Retention has not ended, and no reason to erase earlier was given."""


class Erasure(NamedTuple):
    """The result of an erasure, or the state if an earlier one did it.

    Attributes:
        records: How many versions of records contain texts of the owner.
        retained_until: Until when Object Lock keeps the last of them; None without a lock.
        was_erased: Whether there was no key any more.
    """

    owner: str
    records: int
    retained_until: datetime | None
    was_erased: bool
    erased: tuple["Erased", ...] = ()


class Erased(NamedTuple):
    """An earlier erasure."""

    key_id: str
    at: str
    reason: str


class Eraser:
    """Destroys keys.

    Args:
        bucket: The bucket with records.
        table: The table of their keys.
        client: The DynamoDB client.
        now: The current time in UTC.
    """

    def __init__(
        self, bucket: RecordsBucket, table: str, client: Any, *, now: datetime | None = None
    ) -> None:
        self._bucket = bucket
        self._table = table
        self._client = client
        self._now = now or datetime.now(UTC)

    def erase(self, owner: str, *, reason: str | None, dry_run: bool = False) -> Erasure:
        """Destroy the key of a conversation or a document; each part of a document has a key.

        The records stay: their fields and hashes can still be read and verified. If it is
        interrupted, a repetition destroys the keys that are left.

        Raises:
            StillRetained: A record is retained, and there is no reason.
        """
        affected: list[Version] = []
        names = {owner}
        for version, named in self._affected(owner):
            affected.append(version)
            names |= named
        items = {name: self._items(name) for name in sorted(names)}
        current = {
            name: one for name, found in items.items() for one in found if one["sk"]["S"] == CURRENT
        }
        ends = [end for one in affected if (end := self._bucket.retained_until(one))]
        until = max(ends, default=None)
        erased = _erased([one for found in items.values() for one in found])
        result = Erasure(owner, len(affected), until, not current, erased)
        if not current or dry_run:
            return result
        if until is not None and until > self._now and not reason:
            raise StillRetained(
                f"{len(affected)} records with texts of {owner} are retained until "
                f"{until:%Y-%m-%d}. Nothing was erased. To erase the texts before that date, "
                "give the reason, which is kept: --reason TEXT."
            )
        for name, key in current.items():
            self._destroy(name, key, reason or "Retention has ended.", len(affected), until)
        return result

    def _items(self, owner: str) -> list[dict[str, Any]]:
        with aws_errors("read the keys of records"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": owner}},
                ConsistentRead=True,
            )
        return list(answer["Items"])

    def _affected(self, owner: str) -> Iterator[tuple[Version, set[str]]]:
        """Yield the records with texts of the owner, and the names of the keys of these texts."""
        stored = (one for one in self._bucket.versions(RECORDS) if not one.is_marker)
        for version, content in self._bucket.contents(stored):
            try:
                named = {one for one in owners(content) if owner in (one, document_of(one))}
            except NotARecord:
                continue  # `verify` names it
            if named:
                yield version, named

    def _destroy(
        self,
        owner: str,
        current: dict[str, Any],
        reason: str,
        records: int,
        until: datetime | None,
    ) -> None:
        key_id = current["key_id"]
        erased = {
            "pk": {"S": owner},
            "sk": {"S": f"{ERASED}{key_id['S']}"},
            "erased_at": {"N": str(int(time.time()))},
            "reason": {"S": reason[:MAX_REASON_CHARACTERS]},
            "records": {"N": str(records)},
            "retained_until": {"S": until.isoformat() if until else ""},
        }
        with aws_errors("destroy the key"):
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Delete": {
                            "TableName": self._table,
                            "Key": {"pk": {"S": owner}, "sk": {"S": CURRENT}},
                            "ConditionExpression": "key_id = :id",
                            "ExpressionAttributeValues": {":id": key_id},
                        }
                    },
                    {"Put": {"TableName": self._table, "Item": erased}},
                ]
            )


def _erased(items: list[dict[str, Any]]) -> tuple[Erased, ...]:
    return tuple(
        Erased(
            one["sk"]["S"].removeprefix(ERASED),
            f"{datetime.fromtimestamp(int(one['erased_at']['N']), UTC):%Y-%m-%d}",
            one["reason"]["S"],
        )
        for one in items
        if one["sk"]["S"].startswith(ERASED)
    )
