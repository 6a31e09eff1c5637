"""Compaction: chooses adjacent segments (files of documents) and merges them into one.

It frees space, erases what was deleted, and bounds the number of segments: a search computes one
matrix product for each.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

from s3vector.segments import encode_segment
from s3vector.snapshot import Snapshot
from s3vector.store import Document

# A merge runs within a caller's request. It needs about three times its segment in memory.
MIN_SEGMENT_BYTES = 8 * 2**20
MAX_SEGMENT_BYTES = 32 * 2**20
_FULL_SEGMENTS = 16
FANOUT = 8
MAX_RUN = 2 * FANOUT
"""The most segments that one merge reads."""

_SMALLEST_TIER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """`fanout` segments of similar size are merged, up to `max_segment_bytes`."""

    max_segment_bytes: int = MIN_SEGMENT_BYTES
    fanout: int = FANOUT

    @classmethod
    def for_capacity(cls, capacity_bytes: int) -> Self:
        """Return the limits of a store: a larger one, in a larger function, has larger segments."""
        wanted = capacity_bytes // _FULL_SEGMENTS
        return cls(min(max(wanted, MIN_SEGMENT_BYTES), MAX_SEGMENT_BYTES))

    def most_segments(self, live_bytes: int) -> int:
        """Return how many segments a store may have before some are merged whatever their size.

        With more than `2 * live_bytes / max_segment_bytes + 1` segments, two neighbours fit into
        one: otherwise each pair of neighbours would exceed `max_segment_bytes`.
        """
        return 2 * live_bytes // self.max_segment_bytes + 4 * self.fanout


def choose_run(sizes: Sequence[int], live: Sequence[int], limits: Limits) -> range | None:
    """Return the adjacent segments to merge now, or None.

    Segments of similar size form a tier, each tier's limit being `fanout` times that of the tier
    below. A tier is merged once it has `fanout` adjacent segments, so a byte is rewritten once per
    tier, a few times in all. If no tier is full but there are more than `limits.most_segments`,
    those neighbours are merged of which most fit into one segment. Otherwise a segment of which
    less than half is live (the rest was replaced or deleted) is rewritten alone.

    Args:
        sizes: Bytes of each segment, in the manifest's order.
        live: The bytes of each segment that a merge keeps.
        limits: The bounds of a merge.
    """
    full = limits.max_segment_bytes // 2
    low, high = 0, min(_SMALLEST_TIER_BYTES, full)
    while low < full:
        for run in _runs([one < high for one in live]):
            # A run may contain smaller segments. They do not fill the tier, unless they are many.
            in_tier = sum(live[number] >= low for number in run)
            if in_tier >= limits.fanout or len(run) >= 4 * limits.fanout:
                return _first_that_fit(run, live, limits)
        low, high = high, min(high * limits.fanout, full)
    if len(live) > limits.most_segments(sum(live)):
        starts = range(len(live) - 1)
        runs = [_first_that_fit(range(one, len(live)), live, limits) for one in starts]
        return max(runs, key=lambda run: (len(run), -sum(live[run.start : run.stop])))
    dead = [size - kept for size, kept in zip(sizes, live, strict=True)]
    worst = max(range(len(sizes)), key=dead.__getitem__, default=None)
    # Small segments wait until their tier is full.
    if worst is None or dead[worst] * 2 < sizes[worst] or sizes[worst] < _SMALLEST_TIER_BYTES:
        return None
    return range(worst, worst + 1)


def choose_run_to_free(sizes: Sequence[int], live: Sequence[int], limits: Limits) -> range | None:
    """Return the adjacent segments whose merge frees the most bytes, None if none does."""
    best, most = None, 0
    for start in range(len(sizes)):
        run = _first_that_fit(range(start, len(sizes)), live, limits)
        freed = sum(sizes[number] - live[number] for number in run)
        if freed > most:
            best, most = run, freed
    return best


def choose_erasure(snapshot: Snapshot, old: Collection[str]) -> range | None:
    """Return a segment with documents or tombstones that can be erased, None if none has any.

    Args:
        snapshot: The state of the store.
        old: The keys of the segments to choose from.
    """
    for number, part in enumerate(snapshot.parts):
        if part.segment.key in old:
            tombstones = part.segment.deleted
            if part.dead or _needed(tombstones, snapshot, before=number) != tombstones:
                return range(number, number + 1)
    return None


def _runs(small: Sequence[bool]) -> list[range]:
    """Return the maximal runs of adjacent small segments."""
    runs, start = [], 0
    for number, is_small in enumerate((*small, False)):
        if not is_small:
            if start < number:
                runs.append(range(start, number))
            start = number + 1
    return runs


def _first_that_fit(run: range, live: Sequence[int], limits: Limits) -> range:
    """Return as many segments from the start of a run as fit into one, at least the first."""
    kept = 0
    for number in run[:MAX_RUN]:
        kept += live[number]
        if kept > limits.max_segment_bytes and number > run.start:
            return range(run.start, number)
    return run[:MAX_RUN]


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged segment: its bytes, the ids that it contains or deletes, its passages' number."""

    data: bytes
    ids: list[str]
    passages: int


def merge(snapshot: Snapshot, run: range) -> Merged | None:
    """Encode the live documents and the tombstones of a run as one segment, None if it is empty."""
    documents: list[Document] = []
    deleted: set[str] = set()
    for number in run:
        part = snapshot.parts[number]
        deleted |= part.segment.deleted
        documents += [part.segment.document(one, vectors=True) for one in part.live_documents()]
    ids = [one.record.id for one in documents]
    deleted = _needed(deleted.difference(ids), snapshot, before=run.start)
    if not documents and not deleted:
        return None
    data = encode_segment(documents, deleted, dimensions=snapshot.manifest.dimensions)
    return Merged(data, [*ids, *sorted(deleted)], sum(len(one.passages) for one in documents))


def _needed(tombstones: Collection[str], snapshot: Snapshot, *, before: int) -> set[str]:
    """Return the tombstones (ids of deleted documents) that hide a document of earlier segments.

    A merge at the same time cannot bring such a document back: it would have to replace a segment
    that is no longer listed.
    """
    earlier = snapshot.segments[:before]
    return {one for one in tombstones if any(one in segment.documents for segment in earlier)}
