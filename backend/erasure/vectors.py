"""What is left of a document in the bucket of the `s3` store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from erasure.documents import Remnant, Wanted
from erasure.versions import Lifecycle, Version, VersionedBucket
from s3vector.manifest import decode_manifest
from s3vector.s3_store import MANIFEST, SEGMENTS
from s3vector.segments import CorruptObject, decode_segment

# The hourly task rewrites a segment that is a day old; it may start a quarter of an hour late.
_REWRITTEN_AFTER: Final = timedelta(days=1)
_NEXT_RUN: Final = timedelta(hours=1, minutes=15)


@dataclass(frozen=True, slots=True)
class _Segment:
    """A version of a segment: the wanted ids that it has documents of, and that it deletes."""

    version: Version
    documents: frozenset[str]
    deleted: frozenset[str]
    is_readable: bool = True


def remnants(bucket: VersionedBucket, wanted: Wanted, *, now: datetime) -> Iterator[Remnant]:
    """Yield what is left of a document in segments."""
    lifecycle = bucket.lifecycle()
    listed = _listed(bucket)
    found = [_read(bucket, one, wanted) for one in bucket.versions(SEGMENTS)]
    current = {one.version.key: one for one in found if one.version.replaced is None}
    live = _live([current[key] for key in listed if key in current])
    for one in found:
        if not one.is_readable:
            yield _unreadable(one, lifecycle)
        elif one.documents or one.deleted:
            yield _remnant(one, live, lifecycle, is_listed=one.version.key in listed, now=now)


def _listed(bucket: VersionedBucket) -> Sequence[str]:
    for version in bucket.versions(MANIFEST):
        if version.replaced is None:
            manifest = decode_manifest(MANIFEST, bucket.read(version))
            return [one.key for one in manifest.segments]
    return ()


def _read(bucket: VersionedBucket, version: Version, wanted: Wanted) -> _Segment:
    data = bucket.read(version)
    try:
        segment = decode_segment(version.key, data, checksum=sha256(data).hexdigest())
    except CorruptObject:
        return _Segment(version, frozenset(), frozenset(), is_readable=False)
    return _Segment(
        version,
        frozenset(filter(wanted.matches, segment.documents)),
        frozenset(filter(wanted.matches, segment.deleted)),
    )


def _live(segments: Sequence[_Segment]) -> dict[str, str]:
    """Return the key of the segment in which each stored document is live."""
    live: dict[str, str] = {}
    for one in segments:
        for document_id in one.deleted:
            live.pop(document_id, None)
        live |= dict.fromkeys(one.documents, one.version.key)
    return live


def _remnant(
    segment: _Segment, live: dict[str, str], lifecycle: Lifecycle, *, is_listed: bool, now: datetime
) -> Remnant:
    version = segment.version
    what = (
        f"the text of {_named(segment.documents)}"
        if segment.documents
        else f"the id, as deleted, of {_named(segment.deleted)}"
    )
    if version.replaced is not None:
        return Remnant(version.key, version.id, what, lifecycle.end_of(version))
    alive = [one for one in segment.documents if live.get(one) == version.key]
    if alive and is_listed:
        advice = f"{_named(alive)} is stored: delete it first"
        return Remnant(version.key, version.id, what, None, advice)
    # An unlisted segment was never committed; the same task deletes it.
    rewritten = _NEXT_RUN + (max(now, version.modified + _REWRITTEN_AFTER) if is_listed else now)
    ends = lifecycle.end_of_replaced(version.key, rewritten)
    advice = f"s3vector erases it by {rewritten:%Y-%m-%d %H:%M} UTC"
    return Remnant(version.key, version.id, what, ends, advice)


def _unreadable(segment: _Segment, lifecycle: Lifecycle) -> Remnant:
    version = segment.version
    what = "unknown: it is damaged or of a later release"
    return Remnant(version.key, version.id, what, lifecycle.end_of(version), "read it by hand")


def _named(ids: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(sorted(ids))
