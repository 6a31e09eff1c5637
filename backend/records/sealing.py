"""The hourly task: seals the records that no seal names yet."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import batched, chain
from typing import Any, Final

from records import seals
from records.seals import Seal, Sealed, StoredSeal
from records.versions import RECORDS, SEALS, SealedBucket, Version
from shared.errors import Conflict
from shared.logging import get_logger

_log = get_logger(__name__)

LATE: Final = timedelta(days=1)
"""How long after the hour in its key a record may arrive and still be sealed."""

_HOUR: Final = timedelta(hours=1)

_RECORDS_A_SEAL: Final = 5_000


class Sealing:
    """Writes seals.

    Args:
        bucket: The bucket with records and seals.
        now: Returns the current time in UTC.
    """

    def __init__(self, bucket: SealedBucket, *, now: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self._now = now

    def seal(self) -> dict[str, Any]:
        """Seal the unsealed records; return counts for a log line, and the last seal's number.

        A seal is written even if there is nothing new: a missing one shows that the task did not
        run. Two tasks at once cannot fork the chain, because a seal's key is its number and an
        object is never overwritten.

        Raises:
            Conflict: Another task wrote the next seal.
            Unavailable: S3 failed or is throttling.
        """
        now = self._now()
        recent = self._recent_seals()
        last = recent[-1] if recent else None
        known = {(one.key, one.version) for stored in recent for one in _records(stored)}
        new, markers = self._unsealed(_prefixes(recent, now), known)
        number, previous = (last.seal.number, last.sha256) if last and last.seal else (0, None)
        for some in list(batched(new, _RECORDS_A_SEAL, strict=False)) or [()]:
            number += 1
            previous = self._write(Seal(number, now.isoformat(), previous, tuple(some)))
        if markers:
            _log.error("record_deleted", keys=[one.key for one in markers[:20]], count=len(markers))
        return {"sealed": len(new), "last_seal": number, "delete_markers": len(markers)}

    def _recent_seals(self) -> list[StoredSeal]:
        """Return the seals that may name records of the days to list, the newest last."""
        # Of several versions of a key, the dictionary keeps the last, which is the oldest.
        stored = {one.key: one for one in self._bucket.versions(SEALS) if not one.is_marker}
        found: list[StoredSeal] = []
        for version in reversed(stored.values()):
            one = seals.stored_seal(version, self._bucket.read(version.key, version.id))
            if one.seal is None:
                raise Conflict(
                    f"{version.key} is not a seal: run `records verify` before sealing again."
                )
            found.insert(0, one)
            # No earlier seal names a record of the days that are listed.
            if _sealed_at(one) < _first_day(found[-1]) - _HOUR:
                break
        return found

    def _unsealed(
        self, prefixes: Iterable[str], known: set[tuple[str, str]]
    ) -> tuple[list[Sealed], list[Version]]:
        markers: list[Version] = []
        new: list[Version] = []
        for one in chain.from_iterable(map(self._bucket.versions, prefixes)):
            if one.is_marker:
                markers.append(one)
            elif (one.key, one.id) not in known:
                new.append(one)
        sealed = [
            Sealed(one.key, one.id, sha256(content).hexdigest())
            for one, content in self._bucket.contents(new)
        ]
        return sealed, markers

    def _write(self, seal: Seal) -> str:
        content = seal.content()
        digest = sha256(content).hexdigest()
        if self._bucket.put_new(seal.key, content):
            return digest
        # botocore repeats a request whose answer was lost: the seal may be this task's own.
        version = next(iter(self._bucket.versions(seal.key)))
        if version.is_marker or self._bucket.read(version.key, version.id) != content:
            raise Conflict(f"Another task wrote {seal.key}; the next run seals the rest.")
        return digest


def _sealed_at(stored: StoredSeal) -> datetime:
    assert stored.seal is not None  # noqa: S101 - refused when it was read
    return datetime.fromisoformat(stored.seal.sealed_at)


def _first_day(last: StoredSeal) -> datetime:
    """Return the begin of the first day whose records may be unsealed."""
    return (_sealed_at(last) - LATE).replace(hour=0, minute=0, second=0, microsecond=0)


def _records(stored: StoredSeal) -> tuple[Sealed, ...]:
    return stored.seal.records if stored.seal else ()


def _prefixes(recent: list[StoredSeal], now: datetime) -> Iterator[str]:
    """Yield what the keys of unsealed records begin with: a day each, or at first everything."""
    if not recent:
        yield RECORDS
        return
    day = _first_day(recent[-1]).date()
    # One more day, because a writer's clock may be ahead.
    while day <= now.date() + timedelta(days=1):
        yield f"{RECORDS}{day:%Y/%m/%d}/"
        day += timedelta(days=1)
