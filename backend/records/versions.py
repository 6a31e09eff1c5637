"""Versions of objects in a bucket with records, and where they are read from."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

RECORDS = "records/"
SEALS = "seals/"


class Version(NamedTuple):
    """One version of an object, or a delete marker.

    Attributes:
        modified: When it was stored, as an ISO date with time zone.
    """

    key: str
    id: str
    size: int
    modified: str
    is_marker: bool = False


class Source(Protocol):
    """A bucket, or a local copy of one."""

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield all versions whose keys begin with a prefix, by key, the newest of a key first."""

    def contents(self, versions: Iterable[Version]) -> Iterator[tuple[Version, bytes]]:
        """Yield versions with their content; none of them may be a delete marker."""


class SealedBucket(Source, Protocol):
    """A source in which seals can be written."""

    def read(self, key: str, version_id: str) -> bytes:
        """Return the content of a version."""

    def put_new(self, key: str, data: bytes) -> bool:
        """Store an object; return False if there is one under the key."""
