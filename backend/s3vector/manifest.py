"""The manifest: the one object of a store that changes, and the rules of its change.

It lists the segments in the order in which they were committed: of two that speak of the same
document, the later one holds. It is replaced by conditional writes only, so two writers cannot
both build on the same state. `commits` names the last writers: a writer whose answer got lost
(S3 answered 500 to a write that landed, and 412 to its repetition) finds itself there.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from s3vector.segments import CorruptObject

_FORMAT = 1
# Far more than the writers that can commit between a write and the look whether it landed.
_REMEMBERED_COMMITS = 64


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A segment as the manifest lists it; `checksum` is its SHA-256 in hexadecimal."""

    key: str
    checksum: str
    size: int
    passages: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`space` names the model and dimension whose vectors the store holds."""

    space: str
    dimensions: int
    created_at: str
    segments: tuple[SegmentEntry, ...] = ()
    commits: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all segments, live or superseded."""
        return sum(entry.size for entry in self.segments)

    def appended(self, entry: SegmentEntry, commit: str) -> "Manifest":
        return self._committed((*self.segments, entry), commit)

    def merged(
        self, run: Sequence[str], entry: SegmentEntry | None, commit: str
    ) -> "Manifest | None":
        """Put `entry` in the place of the neighbours `run`; None when they are no longer there."""
        keys = [one.key for one in self.segments]
        if run[0] not in keys:
            return None
        start = keys.index(run[0])
        if keys[start : start + len(run)] != list(run):
            return None
        between = () if entry is None else (entry,)
        rest = self.segments[start + len(run) :]
        return self._committed((*self.segments[:start], *between, *rest), commit)

    def _committed(self, segments: tuple[SegmentEntry, ...], commit: str) -> "Manifest":
        commits = (*self.commits, commit)[-_REMEMBERED_COMMITS:]
        return replace(self, segments=segments, commits=commits)

    def encode(self) -> bytes:
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1).encode()


def decode_manifest(key: str, data: bytes) -> Manifest:
    """Read a manifest; `CorruptObject` when it is not one that this version reads."""
    try:
        fields: dict[str, Any] = json.loads(data)
        if fields["format"] != _FORMAT:
            raise ValueError(f"format {fields['format']!r}, expected {_FORMAT}")  # noqa: TRY301
        return Manifest(
            space=str(fields["space"]),
            dimensions=int(fields["dimensions"]),
            created_at=datetime.fromisoformat(fields["created_at"]).isoformat(),
            segments=tuple(_entry(one) for one in fields["segments"]),
            commits=tuple(map(str, fields["commits"])),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptObject(key, f"{type(error).__name__}: {error}") from error


def _entry(fields: dict[str, Any]) -> SegmentEntry:
    for name, kind in (("key", str), ("checksum", str), ("size", int), ("passages", int)):
        if not isinstance(fields[name], kind):
            raise TypeError(f"a segment's {name} is not of type {kind.__name__}")
    return SegmentEntry(**fields)
