"""The segments in memory. They stay there between invocations."""

from collections.abc import Collection, Sequence
from threading import Lock
from typing import Final

from s3vector.manifest import Manifest, SegmentEntry
from s3vector.pool import Pool
from s3vector.segments import CorruptObject, Segment, decode_segment, read_segment
from shared.aws.bucket import Bucket


class SegmentMissing(Exception):
    """A listed segment does not exist: a compaction deleted it, or it is lost."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key: Final = key


class SegmentCache:
    """Fetches segments once.

    Args:
        bucket: The bucket of the store.
        dimensions: The dimension that all vectors must have.
        pool: Fetches several segments at once.
    """

    def __init__(self, bucket: Bucket, *, dimensions: int, pool: Pool) -> None:
        self._bucket = bucket
        self._dimensions = dimensions
        self._pool = pool
        self._lock = Lock()
        self._segments: dict[str, Segment] = {}

    def add(self, segment: Segment) -> None:
        """Add a segment that this process wrote, so that it is not fetched."""
        with self._lock:
            self._segments = {**self._segments, segment.key: segment}

    def holds(self, manifest: Manifest) -> bool:
        """Return whether all segments of a manifest are in memory."""
        return all(entry.key in self._segments for entry in manifest.segments)

    def load(self, entries: Sequence[SegmentEntry], *, keep: Collection[str]) -> list[Segment]:
        """Return segments in the order of `entries`; forget all those that are not in `keep`.

        Raises:
            SegmentMissing: One of them does not exist.
            CorruptObject: One of them is damaged.
        """
        with self._lock:  # so that concurrent requests fetch a segment only once
            new = [entry for entry in entries if entry.key not in self._segments]
            fetched = self._pool.map(self._fetch, new)
            loaded = self._segments | {one.key: one for one in fetched}
            self._segments = {key: one for key, one in loaded.items() if key in keep}
            return [loaded[entry.key] for entry in entries]

    def _fetch(self, entry: SegmentEntry) -> Segment:
        with self._bucket.open(entry.key) as body:
            if body is None:
                raise SegmentMissing(entry.key)
            try:
                segment = read_segment(entry.key, body, checksum=entry.checksum)
            except CorruptObject:
                segment = self._read_again(entry)
        if segment.dimensions != self._dimensions:
            raise CorruptObject(entry.key, f"its vectors have {segment.dimensions} dimensions")
        return segment

    def _read_again(self, entry: SegmentEntry) -> Segment:
        """Read a segment with S3's checksum, which tells damage on the way from a damaged object.

        Raises:
            BadDependency: It was damaged on the way again.
        """
        found = self._bucket.get(entry.key)
        if found is None:
            raise SegmentMissing(entry.key)
        return decode_segment(entry.key, found.data, checksum=entry.checksum)
