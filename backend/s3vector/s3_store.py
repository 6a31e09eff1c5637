"""The `s3` store: documents in files of a bucket, searched in memory.

A segment is an immutable file of documents; the manifest is the list of all segments. A write
uploads one segment, then adds it to the manifest; segments that the manifest does not list are
ignored. Segments stay in memory between invocations. A read checks whether the manifest changed
(one conditional GET) and fetches only new segments, so it sees every write that was acknowledged
before it began.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from threading import Lock
from typing import Final
from uuid import uuid4

from s3vector import compaction
from s3vector.filters import Filter
from s3vector.manifest import Manifest, SegmentEntry
from s3vector.manifest_file import ManifestFile
from s3vector.pool import Pool
from s3vector.segments import CorruptObject, Segment, decode_segment, encode_segment
from s3vector.snapshot import Snapshot
from s3vector.store import Document, Hit, Page, StoreStats
from shared.aws.bucket import Bucket, StoredObject
from shared.errors import (
    CapacityExceeded,
    Conflict,
    InvalidRequest,
    ServiceError,
    Unavailable,
)
from shared.logging import get_logger
from shared.request.deadline import remaining_seconds

_log = get_logger(__name__)

PREFIX: Final = "documents/"
MANIFEST: Final = f"{PREFIX}manifest.json"
SEGMENTS: Final = f"{PREFIX}segments/"

_READ_ATTEMPTS: Final = 4
_COMPACTION_SECONDS: Final = 4.0
_MAX_COMPACTIONS_FOR_SPACE: Final = 4
# Far longer than any writer takes between uploading a segment and committing it.
_ORPHAN_AGE: Final = timedelta(days=1)


class S3VectorStore:
    """Stores documents in the project's own bucket; search is exact.

    Args:
        bucket: The bucket; all keys start with `documents/`.
        space: The model and dimension of the vectors; a store has one space only.
        dimensions: That dimension.
        capacity_bytes: The most bytes of all segments, which are all in memory.
        pool: Fetches several segments at once.
        limits: The bounds of compaction.
    """

    def __init__(
        self,
        bucket: Bucket,
        *,
        space: str,
        dimensions: int,
        capacity_bytes: int,
        pool: Pool,
        limits: compaction.Limits = compaction.Limits(),  # noqa: B008 - frozen
    ) -> None:
        self._bucket = bucket
        self._manifest = ManifestFile(bucket, MANIFEST, space=space, dimensions=dimensions)
        self._dimensions = dimensions
        self._capacity = capacity_bytes
        self._limits = limits
        self._pool = pool
        self._lock = Lock()
        self._segments: dict[str, Segment] = {}
        self._snapshot: Snapshot | None = None

    def put(self, documents: Sequence[Document]) -> None:
        if not documents:
            return
        data = encode_segment(documents, (), dimensions=self._dimensions)
        self._make_space(len(data))
        self._append(data, sum(len(one.passages) for one in documents), bounded=True)

    def get(self, ids: Sequence[str], *, vectors: bool = False) -> dict[str, Document]:
        snapshot = self._refresh()
        return {one: snapshot.document(one, vectors=vectors) for one in ids if one in snapshot}

    def delete(self, document_id: str) -> bool:
        if document_id not in self._refresh():
            return False
        # A segment without documents that deletes the id from earlier segments.
        tombstone = encode_segment((), (document_id,), dimensions=self._dimensions)
        # Not bounded by the capacity: a full store must accept deletions.
        self._append(tombstone, 0, bounded=False)
        return True

    def page(self, limit: int, cursor: str | None, where: Filter | None = None) -> Page:
        snapshot = self._refresh()
        start = 0 if cursor is None else bisect_right(snapshot.ids, _decode_cursor(cursor))
        found = map(snapshot.record, islice(snapshot.ids, start, None))
        matching = (one for one in found if where is None or where.matches(one.metadata))
        records = tuple(islice(matching, limit))
        more = next(matching, None) is not None
        return Page(records, _encode_cursor(records[-1].id) if more else None)

    def query(self, vector: Sequence[float], top_k: int, where: Filter | None) -> list[Hit]:
        return self._refresh().search(vector, top_k, where)

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

    def check(self) -> None:
        self._bucket.check()

    # Reading

    def _refresh(self) -> Snapshot:
        """Return the current state, loading from S3 what changed."""
        missing: tuple[str, StoredObject] | None = None
        for _ in range(_READ_ATTEMPTS):
            current = self._snapshot
            source = self._manifest.read(known=current.source if current else None)
            if current is not None and source is current.source:
                return current
            try:
                return self._load(source)
            except _SegmentMissing as error:
                # A compaction may have deleted it after the manifest was read. If the manifest
                # still lists it, the segment is lost.
                if source is not None and missing == (error.key, source):
                    raise CorruptObject(error.key, "it is missing") from None
                missing = (error.key, source) if source else None
        raise Unavailable(
            "The vectors bucket changed faster than it could be read; try again.", retry_after=1
        )

    def _load(self, source: StoredObject | None) -> Snapshot:
        manifest = self._manifest.decode(source)
        if manifest.size > self._capacity * 5 // 4:
            raise CapacityExceeded(
                f"The vectors bucket contains {manifest.size} bytes, more than MAX_STORE_BYTES "
                f"({self._capacity}). Raise it together with the function's memory, or move to "
                "VECTOR_BACKEND=s3vectors."
            )
        with self._lock:  # so that concurrent requests fetch a segment only once
            new = [entry for entry in manifest.segments if entry.key not in self._segments]
            loaded = self._segments | dict(
                zip([one.key for one in new], self._pool.map(self._fetch, new), strict=True)
            )
            segments = [loaded[entry.key] for entry in manifest.segments]
            self._segments = {one.key: one for one in segments}
            self._snapshot = Snapshot(manifest, source, segments)
            return self._snapshot

    def _fetch(self, entry: SegmentEntry) -> Segment:
        found = self._bucket.get(entry.key)
        if found is None:
            raise _SegmentMissing(entry.key)
        segment = decode_segment(entry.key, found.data, checksum=entry.checksum)
        if segment.dimensions != self._dimensions:
            raise CorruptObject(entry.key, f"its vectors have {segment.dimensions} dimensions")
        return segment

    # Writing

    def _append(self, data: bytes, passages: int, *, bounded: bool) -> None:
        entry = self._write_segment(data, passages)

        def change(manifest: Manifest, commit: str) -> Manifest:
            if bounded and manifest.size + entry.size > self._capacity:
                raise self._capacity_error(manifest.size, entry.size)
            return manifest.appended(entry, commit)

        try:
            self._commit(change)
        except (CapacityExceeded, Conflict):  # the segment was certainly not committed
            self._delete([entry.key])
            raise
        self._compact_if_due()

    def _write_segment(self, data: bytes, passages: int) -> SegmentEntry:
        checksum = sha256(data).hexdigest()
        entry = SegmentEntry(f"{SEGMENTS}{uuid4().hex}.seg", checksum, len(data), passages)
        self._bucket.put(entry.key, data)
        segment = decode_segment(entry.key, data, checksum=checksum)
        with self._lock:  # so that the next read does not fetch it
            self._segments = {**self._segments, entry.key: segment}
        return entry

    def _commit(self, change: Callable[[Manifest, str], Manifest | None]) -> bool:
        current = self._snapshot
        source = current.source if current else self._manifest.read()
        return self._manifest.commit(change, source=source)

    def _make_space(self, wanted: int) -> None:
        for _ in range(_MAX_COMPACTIONS_FOR_SPACE):
            snapshot = self._refresh()
            if snapshot.manifest.size + wanted <= self._capacity:
                return
            live = sum(snapshot.live_bytes)
            run = compaction.choose_run_to_free(
                [one.size for one in snapshot.segments], snapshot.live_bytes, self._limits
            )
            if run is None or live + wanted > self._capacity:
                raise self._capacity_error(live, wanted)
            self._compact(snapshot, run)

    def _capacity_error(self, used: int, wanted: int) -> CapacityExceeded:
        return CapacityExceeded(
            f"The store has {used} of at most {self._capacity} bytes; this request needs {wanted} "
            "more. Nothing was stored. Delete documents, raise MAX_STORE_BYTES together with the "
            "function's memory, or move to VECTOR_BACKEND=s3vectors."
        )

    # Compaction: it may fail at any point without harm, and never fails a write

    def _compact_if_due(self) -> None:
        left = remaining_seconds()
        if left is not None and left < _COMPACTION_SECONDS:
            return
        try:
            snapshot = self._refresh()
            sizes = [one.size for one in snapshot.segments]
            run = compaction.choose_run(sizes, snapshot.live_bytes, self._limits)
            if run is not None:
                self._compact(snapshot, run)
        except ServiceError as error:
            _log.warning("compaction_failed", detail=error.detail)

    def _compact(self, snapshot: Snapshot, run: range) -> None:
        """Merge a run of segments into one, unless another writer changed them."""
        keys = [snapshot.segments[number].key for number in run]
        merged = compaction.merge(snapshot, run)
        entry = None if merged is None else self._write_segment(*merged)
        if not self._commit(lambda manifest, commit: manifest.merged(keys, entry, commit)):
            self._delete([entry.key] if entry else [])
            return
        _log.info("segments_merged", segments=len(keys), size=entry.size if entry else 0)
        self._delete(keys)
        self._delete_orphans()

    def _delete_orphans(self) -> None:
        """Delete segments that were uploaded but never committed."""
        manifest = self._refresh().manifest
        listed = {entry.key for entry in manifest.segments}
        # Segments older than the manifest stay: a deleted manifest may have listed them.
        start, end = datetime.fromisoformat(manifest.created_at), datetime.now(UTC) - _ORPHAN_AGE
        self._delete(
            [
                one.key
                for one in self._bucket.page(SEGMENTS).objects
                if start <= one.modified < end and one.key not in listed
            ]
        )

    def _delete(self, keys: Sequence[str]) -> None:
        try:
            self._bucket.delete_all(keys)
        except ServiceError as error:  # unlisted segments are ignored, and deleted as orphans later
            _log.warning("segments_left_behind", keys=list(keys), detail=error.detail)


class _SegmentMissing(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _encode_cursor(document_id: str) -> str:
    return urlsafe_b64encode(document_id.encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> str:
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise InvalidRequest(
            "cursor: not a cursor of this service; omit it to start at the first page."
        ) from None
