"""Which neighbouring segments to rewrite as one, and how: little work at each write."""

from collections.abc import Sequence
from dataclasses import dataclass

from s3vector.segments import encode_segment
from s3vector.snapshot import Snapshot
from s3vector.store import Document

# A rewrite holds its segments' content about three times in memory and uploads it once, within
# the request that happened to need it.
MAX_SEGMENT_BYTES = 8 * 2**20
FANOUT = 8
MAX_RUN = 2 * FANOUT
_SMALLEST_TIER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """When segments are merged: `fanout` of like size at a time, up to this size."""

    max_segment_bytes: int = MAX_SEGMENT_BYTES
    fanout: int = FANOUT


def choose_run(sizes: Sequence[int], live: Sequence[int], limits: Limits) -> range | None:
    """Return the neighbours that are due to be rewritten as one, None if none are.

    Segments of like size are merged when there are enough of them, so that each byte is rewritten
    once for each power of the fanout between its first segment and a full one: a few times. One
    of which less than half still holds is rewritten by itself.

    Args:
        sizes: Bytes of each segment.
        live: How many of them a rewrite keeps.
        limits: The rewritten segment is at most this large.
    """
    full = limits.max_segment_bytes // 2
    low, high = 0, min(_SMALLEST_TIER_BYTES, full)
    while low < full:
        for run in _runs([one < high for one in live]):
            # Smaller ones between those of the tier go along, and count only when they are many.
            of_the_tier = sum(live[number] >= low for number in run)
            if of_the_tier >= limits.fanout or len(run) >= 4 * limits.fanout:
                return _fitting(run, live, limits)
        low, high = high, min(high * limits.fanout, full)
    dead = [size - kept for size, kept in zip(sizes, live, strict=True)]
    worst = max(range(len(sizes)), key=dead.__getitem__, default=None)
    # The small ones are left to the tiers.
    if worst is None or dead[worst] * 2 < sizes[worst] or sizes[worst] < _SMALLEST_TIER_BYTES:
        return None
    return range(worst, worst + 1)


def choose_run_for_room(sizes: Sequence[int], live: Sequence[int], limits: Limits) -> range | None:
    """Return the neighbours whose rewriting frees most, None if nothing can be freed."""
    best, most = None, 0
    for start in range(len(sizes)):
        run = _fitting(range(start, len(sizes)), live, limits)
        freed = sum(sizes[number] - live[number] for number in run)
        if freed > most:
            best, most = run, freed
    return best


def _runs(small: Sequence[bool]) -> list[range]:
    """The longest runs of neighbours that are all small."""
    runs, start = [], 0
    for number, is_small in enumerate((*small, False)):
        if not is_small:
            if start < number:
                runs.append(range(start, number))
            start = number + 1
    return runs


def _fitting(run: range, live: Sequence[int], limits: Limits) -> range:
    """The first of a run that fit into one segment; at least one of them."""
    kept = 0
    for number in run[:MAX_RUN]:
        kept += live[number]
        if kept > limits.max_segment_bytes and number > run.start:
            return range(run.start, number)
    return run[:MAX_RUN]


def merge(snapshot: Snapshot, run: range) -> tuple[bytes, int] | None:
    """Write a run's documents that hold, and its tombstones, as one segment.

    Returns:
        The segment and its number of passages, or None when nothing is left to write.
    """
    documents: list[Document] = []
    deleted: set[str] = set()
    for number in run:
        segment = snapshot.segments[number]
        deleted |= segment.deleted
        documents += [
            segment.document(one, vectors=True) for one in snapshot.live_documents(number)
        ]
    # Nothing lies before the first segment that a tombstone could hide.
    deleted = deleted - {one.record.id for one in documents} if run.start else set()
    if not documents and not deleted:
        return None
    data = encode_segment(documents, deleted, dimensions=snapshot.manifest.dimensions)
    return data, sum(len(one.passages) for one in documents)
