"""Reads and replaces the manifest in its bucket, with optimistic concurrency.

A writer that meets no other replaces the manifest at once. One that was overtaken, and for some
seconds each later one of its process, offers its addition to the others (`pending.py`) and waits a
random time. Whoever wakes up first commits for all.
"""

import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Final, TypeGuard

from s3vector.manifest import Addition, Manifest, decode_manifest
from s3vector.pending import Offer, PendingCommits
from shared.aws.bucket import Bucket, StoredObject, WriteConflict
from shared.errors import Conflict, DeadlineExceeded, ServiceError, Unavailable
from shared.request.deadline import remaining_seconds

# Less than the age at which segments that nobody committed are deleted, and the most that a
# request may last.
_LONGEST_COMMIT_SECONDS: Final = 25.0
_LONGEST_PAUSE_SECONDS: Final = 1.0
_HEX: Final = re.compile("[0-9a-f]{32}")
# How long a writer that was overtaken expects others.
_CROWDED_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Committed:
    """The manifest that has a change.

    Attributes:
        source: The manifest's object.
        manifest: The manifest, or a later one.
        before: The manifest that was replaced; None if another writer committed the change.
        offers: The keys of the offers that were taken.
    """

    source: StoredObject
    manifest: Manifest
    before: Manifest | None
    offers: tuple[str, ...] = ()


class RefusedAfterOffer(Exception):
    """The change was refused, but another writer that has read the offer may still commit it."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__(str(error))
        self.error: Final = error


class ManifestFile:
    """The manifest object of a store.

    Args:
        bucket: The bucket of the store.
        key: The manifest's key.
        space: The model and dimension that the manifest must have.
        dimensions: That dimension.
        capacity_bytes: The most bytes of all segments, for the additions of other writers.
        pending: The additions that wait.
    """

    def __init__(
        self,
        bucket: Bucket,
        key: str,
        *,
        space: str,
        dimensions: int,
        capacity_bytes: int,
        pending: PendingCommits,
    ) -> None:
        self._bucket = bucket
        self._key = key
        self._space = space
        self._dimensions = dimensions
        self._capacity = capacity_bytes
        self._pending = pending
        self._crowded_until = 0.0
        self._others = 1
        self._write_seconds = 0.02

    def read(self, *, known: StoredObject | None = None) -> StoredObject | None:
        """Return the object, `known` itself if it is unchanged, None before the first commit."""
        return self._bucket.get(self._key, known=known)

    def decode(self, source: StoredObject | None) -> Manifest:
        """Return the manifest in an object; an empty manifest if there is no object.

        Raises:
            CorruptObject: The object is damaged.
            Conflict: The vectors were made with another model or dimension.
        """
        if source is None:
            return Manifest(self._space, self._dimensions, datetime.now(UTC).isoformat())
        manifest = decode_manifest(self._key, source.data)
        if (manifest.space, manifest.dimensions) != (self._space, self._dimensions):
            raise Conflict(
                f"The vectors bucket contains vectors of {manifest.space}, but this service makes "
                f"vectors of {self._space}; they cannot be compared. Set BEDROCK_MODEL_ID and "
                "EMBEDDING_DIMENSIONS back, or store the documents in an empty bucket."
            )
        return manifest

    def commit(
        self,
        change: Callable[[Manifest], Manifest | None],
        *,
        commit: str,
        source: StoredObject | None,
        addition: Addition | None = None,
    ) -> Committed | None:
        """Replace the manifest by what `change` returns; return None if that is None.

        Args:
            change: Takes the manifest. Called again with the new manifest if another writer was
                faster.
            commit: The id that the changed manifest lists.
            source: The object as it was last read; it may be outdated.
            addition: What `change` adds, where other writers may add it.

        Raises:
            RefusedAfterOffer: `change` raised an error after others could read the addition.
            Unavailable: S3 failed, or too many writers compete. The change may still be made: S3
                may carry it out later, or another writer commit it.
        """
        give_up = time.time() + _LONGEST_COMMIT_SECONDS
        exposed: Manifest | None = None  # the newest on which the change may have been made
        failure: ServiceError | None = None
        offer: Offer | None = None
        for attempt in count():
            manifest = self.decode(source)
            if exposed is not None and offer is not None:
                self._count_others(manifest, exposed)
            if source and manifest.includes(commit):
                return Committed(source, manifest, None)
            if failure is not None:
                raise failure
            if exposed is not None and not _follows(manifest, exposed):
                raise _too_many_writers()  # so many commits that ours may have left the list
            _check_time(give_up)
            changed = _changed(change, manifest, offer)
            if changed is None:
                return None
            if offer is None and self._is_crowded and _can_be_offered(addition, manifest):
                offer = self._pending.put(addition, manifest.last_commit)
                exposed = manifest
                self._wait_for_others()
                source = self.read(known=source)
                continue
            taken = self._take(offer, manifest) if offer else []
            changed = changed.appended(*(one.addition for one in taken))
            try:
                stored = self._write(changed, source)
            except WriteConflict:
                self._expect_others()
                self._pause(attempt, addition, offer)
            except Unavailable as error:
                failure = error  # S3 may have made the change: read once more before giving up
            else:
                return Committed(stored, changed, manifest, _keys(offer, taken))
            exposed = manifest
            source = self.read()
        raise _too_many_writers()

    @property
    def _is_crowded(self) -> bool:
        return time.monotonic() < self._crowded_until

    def _expect_others(self) -> None:
        self._crowded_until = time.monotonic() + _CROWDED_SECONDS

    def _count_others(self, manifest: Manifest, earlier: Manifest) -> None:
        """Take the number of commits meanwhile as that of the writers that compete."""
        commits = manifest.commits_since(earlier.last_commit)
        self._others = max(self._others // 2, commits)
        if commits > 1:
            self._expect_others()

    def _take(self, own: Offer, manifest: Manifest) -> list[Offer]:
        """Return what others offer."""
        taken = self._pending.takeable(own, manifest, capacity_bytes=self._capacity)
        self._others = len(taken)
        if taken:
            self._expect_others()
        return taken

    def _wait_for_others(self) -> None:
        # Of n writers the first wakes up after about four writes, and commits what all have
        # offered. The next one wakes up when that is done.
        writes = random.uniform(0, 4 * (1 + self._others))  # noqa: S311
        time.sleep(min(self._write_seconds * writes, _LONGEST_PAUSE_SECONDS))

    def _write(self, changed: Manifest, source: StoredObject | None) -> StoredObject:
        began = time.monotonic()
        try:
            if source is None:
                return self._bucket.put_if_absent(self._key, changed.encode())
            return self._bucket.put_if_match(self._key, changed.encode(), source.etag)
        finally:
            self._write_seconds += (time.monotonic() - began - self._write_seconds) / 8

    def _pause(self, attempt: int, addition: Addition | None, offer: Offer | None) -> None:
        if offer is not None:
            self._wait_for_others()
            return
        if addition is not None and addition.digest:
            return  # it is offered next
        # Full jitter, so that writers that collided do not collide again.
        longest = min(_LONGEST_PAUSE_SECONDS, self._write_seconds * 2 ** min(attempt, 8))
        time.sleep(random.uniform(0, longest))  # noqa: S311


def _can_be_offered(addition: Addition | None, manifest: Manifest) -> TypeGuard[Addition]:
    return (
        addition is not None
        and bool(addition.digest)
        and _HEX.fullmatch(manifest.last_commit) is not None
    )


def _changed(
    change: Callable[[Manifest], Manifest | None], manifest: Manifest, offer: Offer | None
) -> Manifest | None:
    try:
        return change(manifest)
    except ServiceError as error:
        if offer is None:
            raise
        raise RefusedAfterOffer(error) from error


def _follows(manifest: Manifest, earlier: Manifest) -> bool:
    return not earlier.commits or manifest.includes(earlier.last_commit)


def _keys(own: Offer | None, taken: Sequence[Offer]) -> tuple[str, ...]:
    return () if own is None else (own.key, *(one.key for one in taken))


def _check_time(give_up: float) -> None:
    left = remaining_seconds()
    if left is not None and left <= 0:
        raise DeadlineExceeded(
            "The request's time ended while it waited for other writers. It may have been carried "
            "out; repeating it is safe."
        )
    if time.time() > give_up:
        raise _too_many_writers()


def _too_many_writers() -> Unavailable:
    return Unavailable(
        "Too many writers at once. The request may have been carried out; repeating it is safe.",
        retry_after=1,
    )
