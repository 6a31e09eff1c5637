"""The manifest: the only object of a store that is ever replaced.

It lists the segments (files of documents) in commit order; if two contain the same document, the
later one wins. It is replaced with conditional writes only, so no writer overwrites another's
commit. `commits` lists the ids of the last commits. S3 may carry out a write but answer with an
error (a 500, then a 412 for the retry); the writer then finds its own id there.

A digest is a list of short hashes of ids of documents. `digests` says, for small segments, which
documents they contain or delete, so that a writer need not fetch what others wrote. A commit is
`ID:DIGEST`, `ID:-` if it changes no document (a merge), or `ID` if it may change any. Release 1.0
writes `ID` only; it ignores `digests` and drops it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

from s3vector.segments import CorruptObject

_FORMAT = 1
# Far more than can be committed between a failed write and the read that looks for its commit id.
_MAX_COMMITS = 256
_DIGEST_CHARACTERS: Final = 8
MAX_DIGEST_IDS: Final = 16
_CHANGES_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A segment in the manifest; `checksum` is its SHA-256 in hexadecimal, `size` in bytes."""

    key: str
    checksum: str
    size: int
    passages: int


@dataclass(frozen=True, slots=True)
class Addition:
    """A segment to add to a manifest, and the digest of its ids; the digest may be empty."""

    entry: SegmentEntry
    digest: str = ""

    @property
    def commit(self) -> str:
        """The id of the commit that adds it."""
        return self.entry.key.rpartition("/")[2].removesuffix(".seg")


@dataclass(frozen=True)
class Manifest:
    """The state of a store; `space` is the model and dimension of its vectors."""

    space: str
    dimensions: int
    created_at: str
    segments: tuple[SegmentEntry, ...] = ()
    commits: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The bytes of all segments, including documents that were replaced or deleted."""
        return sum(entry.size for entry in self.segments)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of all segments."""
        return frozenset(entry.key for entry in self.segments)

    def may_have(self, key: str, document_ids: Iterable[str]) -> bool:
        """Return False only if a segment certainly has none of the ids."""
        digest = self.digests.get(key)
        return not digest or not _hashes(digest).isdisjoint(map(_hashed, document_ids))

    @property
    def last_commit(self) -> str:
        """The id of the last commit; empty before the first."""
        return self.commits[-1].partition(":")[0] if self.commits else ""

    def includes(self, commit: str) -> bool:
        """Return whether a commit is among the last ones."""
        return commit in self._commits

    def commits_since(self, commit: str) -> int:
        """Return the number of commits after one that is among the last, else 0."""
        ids = list(self._commits)
        return len(ids) - 1 - ids.index(commit) if commit in self._commits else 0

    def is_untouched(self, digest: str, *, since: str) -> bool:
        """Return whether certainly no commit after `since` changed a document of a digest."""
        if not digest or since not in self._commits:
            return False
        mine = _hashes(digest)
        later = list(self._commits.values())[list(self._commits).index(since) + 1 :]
        return all(
            one == _CHANGES_NOTHING or (one and mine.isdisjoint(_hashes(one))) for one in later
        )

    @cached_property
    def _commits(self) -> dict[str, str]:
        """The digests of the last commits by their ids."""
        parts = (one.partition(":") for one in self.commits)
        return {commit: digest for commit, _, digest in parts}

    def appended(self, *additions: Addition) -> "Manifest":
        """Add segments, each under a commit id of its own."""
        return self._committed(
            (*self.segments, *(one.entry for one in additions)),
            [f"{one.commit}:{one.digest}" if one.digest else one.commit for one in additions],
            {one.entry.key: one.digest for one in additions if one.digest},
        )

    def merged(
        self, run: Sequence[str], addition: Addition | None, commit: str
    ) -> "Manifest | None":
        """Replace the adjacent segments `run` by one; None if they are no longer listed."""
        keys = [one.key for one in self.segments]
        if run[0] not in keys:
            return None
        start = keys.index(run[0])
        if keys[start : start + len(run)] != list(run):
            return None
        merged = () if addition is None else (addition.entry,)
        digests = {addition.entry.key: addition.digest} if addition and addition.digest else {}
        rest = self.segments[start + len(run) :]
        commits = [f"{commit}:{_CHANGES_NOTHING}"]
        return self._committed((*self.segments[:start], *merged, *rest), commits, digests)

    def _committed(
        self, segments: tuple[SegmentEntry, ...], new: Sequence[str], digests: Mapping[str, str]
    ) -> "Manifest":
        listed = {one.key for one in segments}
        kept = {key: one for key, one in self.digests.items() if key in listed}
        commits = (*self.commits, *new)[-_MAX_COMMITS:]
        return replace(self, segments=segments, commits=commits, digests={**kept, **digests})

    def encode(self) -> bytes:
        return json.dumps({"format": _FORMAT, **asdict(self)}).encode()


def digest_of(document_ids: Sequence[str]) -> str:
    """Return the digest of a segment's ids; empty, which excludes nothing, if they are many."""
    return "".join(map(_hashed, document_ids)) if len(document_ids) <= MAX_DIGEST_IDS else ""


def _hashed(document_id: str) -> str:
    return blake2b(document_id.encode(), digest_size=_DIGEST_CHARACTERS // 2).hexdigest()


def _hashes(digest: str) -> set[str]:
    starts = range(0, len(digest), _DIGEST_CHARACTERS)
    return {digest[start : start + _DIGEST_CHARACTERS] for start in starts}


def share_a_document(digest: str, others: str) -> bool:
    """Return whether two digests may have an id in common."""
    return not _hashes(digest).isdisjoint(_hashes(others))


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
            digests={str(key): str(one) for key, one in fields.get("digests", {}).items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptObject(key, f"{type(error).__name__}: {error}") from error


def _entry(fields: dict[str, Any]) -> SegmentEntry:
    for name, kind in (("key", str), ("checksum", str), ("size", int), ("passages", int)):
        if not isinstance(fields[name], kind):
            raise TypeError(f"a segment's {name} is not of type {kind.__name__}")
    return SegmentEntry(**fields)
