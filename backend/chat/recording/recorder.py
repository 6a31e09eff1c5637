"""Writes a record of each answer, as one chain for each process.

A record names the record before it by its hash. So nobody can remove or change a record in the
middle of a chain unnoticed, even before the next seal. Processes cannot share a chain without
asking each other, so each has its own.
"""

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Final, Protocol

from chat.recording import record
from chat.recording.evidence import Evidence, Question
from chat.recording.keys import RecordKeys
from chat.recording.record import Link, Release
from shared.answers import CheckedAnswer
from shared.aws.bucket import Bucket, ObjectChanged, WriteInProgress
from shared.errors import Unavailable
from shared.logging import get_logger, request_context
from shared.request import deadline
from shared.telemetry.metrics import measure

_log = get_logger(__name__)

_WRITER_BYTES: Final = 16
_TOO_LATE: Final = "The bucket of records did not answer in time; try again."


class RecordNotWritten(Unavailable):
    """The answer is withheld, because its record could not be written."""

    code = "record_not_written"


class RecordStore(Protocol):
    """Where records are kept."""

    async def put(self, key: str, data: bytes) -> None:
        """Store a new object; nothing is changed if there is one under the key.

        Raises:
            Unavailable: The store failed; the object may be stored nevertheless.
            BadDependency: The store refused.
        """


class S3Records:
    """Records in a bucket. It needs the permission `s3:PutObject` and no other."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def put(self, key: str, data: bytes) -> None:
        await deadline.in_time(asyncio.to_thread(self._put, key, data), _TOO_LATE)

    def _put(self, key: str, data: bytes) -> None:
        try:
            self._bucket.put_if_absent(key, data, content_type="application/json")
        except ObjectChanged:
            # The key contains 128 random bits: only this call's own attempt before can have stored
            # the object, which botocore repeated because the answer was lost.
            _log.info("record_already_stored", key=key)
        except WriteInProgress as error:
            raise Unavailable("S3 has not finished an earlier attempt.", retry_after=1) from error


class Recorder:
    """Records answers.

    Args:
        store: Where records are kept.
        keys: Where the keys of their texts are kept.
        release: The release that answers, and its settings.
        required: Whether an answer without a record is withheld.
        now: Returns the current time in UTC.
    """

    def __init__(
        self,
        store: RecordStore,
        keys: RecordKeys,
        release: Release,
        *,
        required: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._keys = keys
        self._release = release
        self._required = required
        self._now = now
        self._link = _first_link()
        self._lock = asyncio.Lock()

    @property
    def required(self) -> bool:
        """Whether an answer without a record is withheld."""
        return self._required

    async def record(
        self, question: Question, answer: CheckedAnswer, evidence: Evidence
    ) -> str | None:
        """Write the record of an answer and return its key; None if that failed.

        Raises:
            RecordNotWritten: Records are required, and this one could not be written.
        """
        try:
            return await self._record(question, answer, evidence)
        except Exception as error:
            measure("RecordsFailed", 1)
            _log.error("answer_not_recorded", required=self._required, exc_info=error)
            if not self._required:
                return None
            raise RecordNotWritten(
                "The answer is withheld, because its record could not be written; try again.",
                retry_after=5,
            ) from error

    async def _record(self, question: Question, answer: CheckedAnswer, evidence: Evidence) -> str:
        keys = await self._keys.keys(record.owners(question, evidence))
        ids = {
            "trace_id": request_context.active_trace_id(),
            "request_id": request_context.request_id(),
        }
        # A record contains the hash of the one before, so they are written one after another.
        async with self._lock:
            link, written_at = self._link, self._now()
            key = record.key_of(written_at, link)
            build = partial(
                record.build,
                release=self._release,
                ids=ids,
                question=question,
                answer=answer,
                evidence=evidence,
                keys=keys,
            )
            try:
                data = await asyncio.to_thread(build, link, written_at)
                await self._store.put(key, data)
            except BaseException:
                # Whether the record is stored is unknown. With a new chain it may be or not, and a
                # gap in a chain always means that a record was removed.
                self._link = _first_link()
                raise
            self._link = Link(link.writer_id, link.sequence + 1, sha256(data).hexdigest())
        _log.info("answer_recorded", key=key)
        return key


def _first_link() -> Link:
    return Link(secrets.token_hex(_WRITER_BYTES), 1, None)
