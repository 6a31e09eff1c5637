"""The manifest: the only object of a store that is ever replaced.

It lists the segments (files of documents) in commit order; if two contain the same document, the
later one wins. It is replaced with conditional writes only, so no writer overwrites another's
commit. `commits` lists the ids of the last commits. S3 may carry out a write but answer with an
error (a 500, then a 412 for the retry); the writer then finds its own id there.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from s3vector.segments import CorruptObject

_FORMAT = 1
# Far more than can be committed between a failed write and the read that looks for its commit id.
_MAX_COMMITS = 64


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A segment in the manifest; `checksum` is its SHA-256 in hexadecimal, `size` in bytes."""

    key: str
    checksum: str
    size: int
    passages: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The state of a store; `space` is the model and dimension of its vectors."""

    space: str
    dimensions: int
    created_at: str
    segments: tuple[SegmentEntry, ...] = ()
    commits: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The bytes of all segments, including documents that were replaced or deleted."""
        return sum(entry.size for entry in self.segments)

    def appended(self, entry: SegmentEntry, commit: str) -> "Manifest":
        return self._committed((*self.segments, entry), commit)

    def merged(
        self, run: Sequence[str], entry: SegmentEntry | None, commit: str
    ) -> "Manifest | None":
        """Replace the adjacent segments `run` by `entry`; None if they are no longer listed."""
        keys = [one.key for one in self.segments]
        if run[0] not in keys:
            return None
        start = keys.index(run[0])
        if keys[start : start + len(run)] != list(run):
            return None
        merged = () if entry is None else (entry,)
        rest = self.segments[start + len(run) :]
        return self._committed((*self.segments[:start], *merged, *rest), commit)

    def _committed(self, segments: tuple[SegmentEntry, ...], commit: str) -> "Manifest":
        commits = (*self.commits, commit)[-_MAX_COMMITS:]
        return replace(self, segments=segments, commits=commits)

    def encode(self) -> bytes:
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1).encode()


def decode_manifest(key: str, data: bytes) -> Manifest:
    """Decode a manifest.

    Raises:
        CorruptObject: It is damaged, or in a format that this version cannot read.
    """
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
