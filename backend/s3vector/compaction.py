"""Which neighbouring segments to rewrite as one, and how: little work at each write."""

from collections.abc import Sequence
from dataclasses import dataclass

from s3vector.segments import encode_segment
from s3vector.snapshot import Snapshot
from s3vector.store import Document

# A rewrite holds its segments' content about three times in memory and uploads it once, within
# the request that happened to need it.
MAX_SEGMENT_BYTES = 8 * 2**20
MAX_SMALL_SEGMENTS = 12
MAX_RUN = 16
# A segment costs a request and some objects, however small: counted as this many bytes.
_OVERHEAD_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """When segments are merged, and how large they may become."""

    max_segment_bytes: int = MAX_SEGMENT_BYTES
    max_small_segments: int = MAX_SMALL_SEGMENTS


def is_due(sizes: Sequence[int], live: Sequence[int], limits: Limits) -> bool:
    """Tell whether there are too many small segments, or too much that nobody can find."""
    small = sum(one < limits.max_segment_bytes // 2 for one in live)
    dead = sum(sizes) - sum(live)
    return small > limits.max_small_segments or dead > max(sum(sizes) // 4, _OVERHEAD_BYTES * 8)


def choose_run(sizes: Sequence[int], live: Sequence[int], limits: Limits) -> range | None:
    """Return the neighbours whose rewriting frees most for what it costs, None if nothing does.

    Args:
        sizes: Bytes of each segment.
        live: How many of them a rewrite keeps.
        limits: The rewritten segment is at most this large.
    """
    best, best_value = None, 0.0
    for start in range(len(sizes)):
        cost, gain = 0, -_OVERHEAD_BYTES  # one segment stays
        for stop in range(start, min(start + MAX_RUN, len(sizes))):
            cost += live[stop]
            gain += sizes[stop] - live[stop] + _OVERHEAD_BYTES
            if cost > limits.max_segment_bytes:
                break
            # One segment alone is not rewritten for a few dead rows.
            if start == stop and (sizes[stop] - live[stop]) * 4 < sizes[stop]:
                continue
            if (value := gain / (cost + _OVERHEAD_BYTES)) > best_value:
                best, best_value = range(start, stop + 1), value
    return best


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
