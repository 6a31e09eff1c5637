"""The `s3` store: documents in files of a bucket, searched in memory.

A segment is an immutable file of documents; the manifest is the list of all segments. A write
uploads one segment, then adds it to the manifest; segments that the manifest does not list are
ignored. Segments stay in memory between invocations. A read checks whether the manifest changed
(one conditional GET) and fetches only new segments, so it sees every write that was acknowledged
before it began. Writes and reads of single documents fetch only segments that may contain them.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Final
from uuid import uuid4

from s3vector import compaction
from s3vector.filters import Filter
from s3vector.manifest import Addition, Manifest, SegmentEntry, digest_of
from s3vector.manifest_file import Committed, ManifestFile, RefusedAfterOffer
from s3vector.pending import PendingCommits
from s3vector.pool import Pool
from s3vector.segment_cache import SegmentCache, SegmentMissing
from s3vector.segments import CorruptObject, Segment, decode_segment, encode_segment
from s3vector.snapshot import Snapshot, find_segment
from s3vector.store import (
    Document,
    DocumentRecord,
    Erasure,
    Hits,
    Page,
    StoreStats,
    with_parts,
)
from shared.aws.bucket import Bucket, StoredObject
from shared.errors import (
    CapacityExceeded,
    Conflict,
    InvalidRequest,
    ServiceError,
    Unavailable,
)
from shared.ingestion.parts import document_of, find_parts, is_later_part
from shared.logging import get_logger
from shared.request.deadline import remaining_seconds

_log = get_logger(__name__)

PREFIX: Final = "documents/"
MANIFEST: Final = f"{PREFIX}manifest.json"
SEGMENTS: Final = f"{PREFIX}segments/"
PENDING: Final = f"{PREFIX}pending/"

_READ_ATTEMPTS: Final = 4
_COMPACTION_SECONDS: Final = 4.0
_MAX_COMPACTIONS_FOR_SPACE: Final = 4
# Far longer than any writer takes between uploading a segment and committing it.
_ORPHAN_AGE: Final = timedelta(hours=1)
_OFFER_AGE: Final = timedelta(minutes=5)
_ERASURE_AGE: Final = timedelta(days=1)
# Ends a loop in which other writers win each time.
_MAX_ERASURES: Final = 1000

_MORE_ROOM: Final = (
    "raise MAX_STORE_BYTES together with the function's memory (Terraform's max_store_mib and "
    "s3vector_memory_mb), or move to VECTOR_BACKEND=s3vectors"
)
_NOTHING_STORED: Final = "Nothing was stored."

type _State = tuple[StoredObject | None, Manifest]


class S3VectorStore:
    """Stores documents in the project's own bucket; search is exact.

    Args:
        bucket: The bucket; all keys start with `documents/`.
        space: The model and dimension of the vectors; a store has one space only.
        dimensions: That dimension.
        capacity_bytes: The most bytes of all segments, which are all in memory.
        pool: Fetches several segments at once.
        limits: The bounds of compaction; by default those of the capacity.
    """

    def __init__(
        self,
        bucket: Bucket,
        *,
        space: str,
        dimensions: int,
        capacity_bytes: int,
        pool: Pool,
        limits: compaction.Limits | None = None,
    ) -> None:
        self._bucket = bucket
        self._pending = PendingCommits(bucket, prefix=PENDING, segments=SEGMENTS)
        self._manifest = ManifestFile(
            bucket,
            MANIFEST,
            space=space,
            dimensions=dimensions,
            capacity_bytes=capacity_bytes,
            pending=self._pending,
        )
        self._cache = SegmentCache(bucket, dimensions=dimensions, pool=pool)
        self._dimensions = dimensions
        self._capacity = capacity_bytes
        self._limits = limits or compaction.Limits.for_capacity(capacity_bytes)
        self._state: _State | None = None
        self._snapshot: Snapshot | None = None

    def put(self, documents: Sequence[Document]) -> None:
        if not documents:
            return
        data = encode_segment(documents, (), dimensions=self._dimensions)
        self._make_space(len(data))
        self._append(
            data,
            [one.record.id for one in documents],
            passages=sum(len(one.passages) for one in documents),
        )

    def get(self, ids: Sequence[str], *, vectors: bool = False) -> dict[str, Document]:
        return {
            one: segment.document(one, vectors=vectors)
            for one, segment in self._read(partial(self._find, ids)).items()
        }

    def parts(self, document_id: str) -> list[DocumentRecord]:
        found = self._find_parts(document_id)
        return [segment.record(one) for one, segment in found.items()]

    def delete(self, document_id: str, *, first_part: int = 1) -> bool:
        ids = list(self._find_parts(document_id, first=first_part))
        if not ids:
            return False
        # A segment without documents that deletes the ids from earlier segments.
        tombstone = encode_segment((), ids, dimensions=self._dimensions)
        self._append(tombstone, ids, passages=0)
        return True

    def page(self, limit: int, cursor: str | None, where: Filter | None = None) -> Page:
        snapshot = self._refresh()
        start = 0 if cursor is None else bisect_right(snapshot.ids, _decode_cursor(cursor))
        first_parts = (
            one
            for one in islice(snapshot.ids, start, None)
            if not is_later_part(one) or not snapshot.has(document_of(one))
        )
        found = map(snapshot.record, first_parts)
        matching = (one for one in found if where is None or where.matches(one.metadata))
        records = tuple(
            with_parts(one, snapshot.records_of(one.id)) for one in islice(matching, limit)
        )
        more = next(matching, None) is not None
        return Page(records, _encode_cursor(records[-1].id) if more else None)

    def query(
        self,
        vector: Sequence[float] | None,
        top_k: int,
        where: Filter | None,
        *,
        words: str | None = None,
    ) -> Hits:
        return self._refresh().search(vector, top_k, where, words=words)

    def stats(self) -> StoreStats:
        snapshot = self._refresh()
        return StoreStats(
            backend="s3",
            documents=snapshot.documents,
            passages=snapshot.passages,
            stored_bytes=snapshot.manifest.size,
            capacity_bytes=self._capacity,
            segments=len(snapshot.segments),
        )

    def erase(self) -> Erasure:
        """Rewrite segments with texts that were deleted or replaced, and delete orphans.

        A segment is rewritten a day after it was written at the earliest, so at most once a day.
        What is left when the time ends is rewritten by the next call.
        """
        before = datetime.now(UTC) - _ERASURE_AGE
        old = {one.key for one in self._bucket.objects(SEGMENTS) if one.modified < before}
        changed, run = 0, None
        for _ in range(_MAX_ERASURES):
            snapshot = self._refresh()
            run = compaction.choose_erasure(snapshot, old)
            left = remaining_seconds()
            if run is None or (left is not None and left < _COMPACTION_SECONDS):
                break
            changed += self._compact(snapshot, run)
        if self._state is not None:
            self._delete_left_behind(self._state[1])
        return Erasure(changed, is_complete=run is None)

    def check(self) -> None:
        self._bucket.check()

    # Reading

    def _find_parts(self, document_id: str, *, first: int = 1) -> dict[str, Segment]:
        return self._read(
            lambda manifest: find_parts(
                document_id, partial(self._find, manifest=manifest), first=first
            )
        )

    def _find(self, ids: Sequence[str], manifest: Manifest) -> dict[str, Segment]:
        """Return the segments in which these documents are live, by id."""
        entries = [one for one in manifest.segments if manifest.may_have(one.key, ids)]
        segments = self._cache.load(entries, keep=manifest.keys)
        found = {one: find_segment(segments, one) for one in ids}
        return {one: segment for one, segment in found.items() if segment is not None}

    def _refresh(self) -> Snapshot:
        """Return the current state, loading from S3 what changed."""
        return self._read(self._load)

    def _read[R](self, load: Callable[[Manifest], R]) -> R:
        """Return what `load` makes of the current manifest."""
        missing: tuple[str, StoredObject | None] | None = None
        for _ in range(_READ_ATTEMPTS):
            source, manifest = self._current()
            if manifest.size > self._capacity * 5 // 4:
                raise CapacityExceeded(
                    f"The vectors bucket contains {manifest.size} bytes, more than MAX_STORE_BYTES "
                    f"({self._capacity}). To read it, {_MORE_ROOM}."
                )
            try:
                return load(manifest)
            except SegmentMissing as error:
                # A compaction may have deleted it after the manifest was read. If the manifest
                # still lists it, the segment is lost.
                if missing == (error.key, source):
                    raise CorruptObject(error.key, "it is missing") from None
                missing = (error.key, source)
        raise Unavailable(
            "The vectors bucket changed faster than it could be read; try again.", retry_after=1
        )

    def _current(self) -> _State:
        """Return the manifest's object and the manifest, read again if it changed."""
        state = self._state
        source = self._manifest.read(known=state[0] if state else None)
        if state is None or source is not state[0]:
            state = self._state = (source, self._manifest.decode(source))
        return state

    def _load(self, manifest: Manifest) -> Snapshot:
        snapshot = self._snapshot
        if snapshot is None or snapshot.manifest is not manifest:
            segments = self._cache.load(manifest.segments, keep=manifest.keys)
            snapshot = self._snapshot = Snapshot(manifest, segments, previous=snapshot)
        return snapshot

    # Writing

    def _append(self, data: bytes, ids: Sequence[str], *, passages: int) -> None:
        addition = self._write_segment(data, ids, passages)

        def change(manifest: Manifest) -> Manifest:
            # A full store must accept deletions, which have no passages.
            if passages and manifest.size + len(data) > self._capacity:
                raise CapacityExceeded(self._full(manifest.size, len(data)))
            return manifest.appended(addition)

        try:
            committed = self._commit(change, addition.commit, addition)
        except (
            RefusedAfterOffer
        ) as refused:  # without a commit, the segment is deleted as an orphan
            raise CapacityExceeded(
                f"{refused.error.detail} Another writer may still store it within a minute; "
                "repeating the request is safe."
            ) from None
        except (CapacityExceeded, Conflict) as error:  # the segment was certainly not committed
            self._delete([addition.entry.key])
            if isinstance(error, CapacityExceeded):
                raise CapacityExceeded(f"{error.detail} {_NOTHING_STORED}") from None
            raise
        if committed is not None:
            self._delete(committed.offers)
            self._compact_if_due(committed)

    def _write_segment(self, data: bytes, ids: Sequence[str], passages: int) -> Addition:
        checksum = sha256(data).hexdigest()
        entry = SegmentEntry(f"{SEGMENTS}{uuid4().hex}.seg", checksum, len(data), passages)
        self._bucket.put(entry.key, data)
        self._cache.add(decode_segment(entry.key, data, checksum=checksum))
        return Addition(entry, digest_of(ids))

    def _commit(
        self,
        change: Callable[[Manifest], Manifest | None],
        commit: str,
        addition: Addition | None = None,
    ) -> Committed | None:
        source = self._state[0] if self._state else self._manifest.read()
        committed = self._manifest.commit(change, commit=commit, source=source, addition=addition)
        if committed is not None:
            self._state = (committed.source, committed.manifest)
        return committed

    def _make_space(self, wanted: int) -> None:
        if self._state is not None and self._state[1].size + wanted <= self._capacity:
            return  # the commit compares with the size of then
        for _ in range(_MAX_COMPACTIONS_FOR_SPACE):
            snapshot = self._refresh()
            if snapshot.manifest.size + wanted <= self._capacity:
                return
            live = sum(snapshot.live_bytes)
            run = compaction.choose_run_to_free(
                [one.size for one in snapshot.segments], snapshot.live_bytes, self._limits
            )
            if run is None or live + wanted > self._capacity:
                raise CapacityExceeded(f"{self._full(live, wanted)} {_NOTHING_STORED}")
            self._compact(snapshot, run)

    def _full(self, used: int, wanted: int) -> str:
        return (
            f"The store has {used} of at most {self._capacity} bytes; this request needs {wanted} "
            f"more. Delete documents, {_MORE_ROOM}."
        )

    # Compaction: it may fail at any point without harm, and never fails a write

    def _compact_if_due(self, committed: Committed) -> None:
        left = remaining_seconds()
        if left is not None and left < _COMPACTION_SECONDS:
            return
        try:
            if not self._is_due(committed):
                return
            snapshot = self._load(committed.manifest)
            sizes = [one.size for one in snapshot.segments]
            run = compaction.choose_run(sizes, snapshot.live_bytes, self._limits)
            if run is not None:
                self._compact(snapshot, run)
        except SegmentMissing:
            return  # another writer compacts
        except ServiceError as error:
            _log.warning("compaction_failed", detail=error.detail)

    def _is_due(self, committed: Committed) -> bool:
        """Return whether it is this writer's turn to look for segments to merge.

        It is if that needs no fetch. Among writers that do not have each other's segments, it is
        the turn of the one whose commit filled a tier, so that they do not all merge the same.
        """
        if committed.before is None:
            return False
        if self._cache.holds(committed.manifest):
            return True
        before = [one.size for one in committed.before.segments]
        after = [one.size for one in committed.manifest.segments]
        if compaction.choose_run(after, after, self._limits) is None:
            return False
        # The one whose turn it was may have been killed.
        many = 4 * self._limits.fanout
        return (
            compaction.choose_run(before, before, self._limits) is None
            or len(before) // many != len(after) // many
        )

    def _compact(self, snapshot: Snapshot, run: range) -> bool:
        """Merge a run of segments into one; return False if another writer changed them."""
        keys = [snapshot.segments[number].key for number in run]
        merged = compaction.merge(snapshot, run)
        addition = (
            None
            if merged is None
            else self._write_segment(merged.data, merged.ids, merged.passages)
        )
        commit = addition.commit if addition else uuid4().hex
        committed = self._commit(lambda manifest: manifest.merged(keys, addition, commit), commit)
        if committed is None:
            self._delete([addition.entry.key] if addition else [])
            return False
        size = addition.entry.size if addition else 0
        _log.info("segments_merged", segments=len(keys), size=size)
        self._delete(keys)
        self._delete_left_behind(committed.manifest)
        return True

    def _delete_left_behind(self, manifest: Manifest) -> None:
        """Delete segments that were never committed, and offers that nobody can take any more."""
        listed = manifest.keys
        # Segments older than the manifest stay: a deleted manifest may have listed them.
        start = datetime.fromisoformat(manifest.created_at)
        end = datetime.now(UTC) - _ORPHAN_AGE
        offers = self._pending.old(datetime.now(UTC) - _OFFER_AGE)
        orphans = [
            one.key
            for one in self._bucket.page(SEGMENTS).objects
            if start <= one.modified < end and one.key not in listed
        ]
        self._delete([*orphans, *offers][:1000])

    def _delete(self, keys: Sequence[str]) -> None:
        try:
            self._bucket.delete_all(keys)
        except ServiceError as error:  # unlisted segments are ignored, and deleted as orphans later
            _log.warning("segments_left_behind", keys=list(keys), detail=error.detail)


def _encode_cursor(document_id: str) -> str:
    return urlsafe_b64encode(document_id.encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> str:
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise InvalidRequest(
            "cursor: not a cursor of this service; omit it to start at the first page."
        ) from None
