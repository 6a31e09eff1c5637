"""Seals: numbered lists of record versions and hashes, each with the hash of the seal before.

CloudTrail's digest files are the model. Records of many processes cannot form one chain with one
request each; the seals can, because one task writes them.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

from records.versions import SEALS, Source, Version

FORMAT: Final = 1


class Sealed(NamedTuple):
    """A version of a record and the SHA-256 of its content, in hexadecimal."""

    key: str
    version: str
    sha256: str


class Seal(NamedTuple):
    """One seal.

    Attributes:
        number: Counted from 1, without gaps.
        sealed_at: ISO date with time zone.
        previous: The SHA-256 of the seal before; None for the first.
    """

    number: int
    sealed_at: str
    previous: str | None
    records: tuple[Sealed, ...]

    @property
    def key(self) -> str:
        return key_of(self.number)

    def content(self) -> bytes:
        """Return the content to store."""
        records = [tuple(one) for one in self.records]  # orjson takes no named tuples
        return orjson.dumps({"format": FORMAT, **self._asdict(), "records": records})


class StoredSeal(NamedTuple):
    """A seal as it was read, with its version and the SHA-256 of its content."""

    version: Version
    sha256: str
    seal: Seal | None
    """None if the content is not a seal."""


def key_of(number: int) -> str:
    """Return the key of a seal; keys sort by number."""
    return f"{SEALS}{number:08d}.json"


def read(source: Source) -> Iterator[StoredSeal]:
    """Yield all versions of all seals, by number, the newest of a number first."""
    stored = (one for one in source.versions(SEALS) if not one.is_marker)
    for version, content in source.contents(stored):
        yield stored_seal(version, content)


def stored_seal(version: Version, content: bytes) -> StoredSeal:
    """Return a seal as it was read."""
    return StoredSeal(version, sha256(content).hexdigest(), _parsed(content))


def _parsed(content: bytes) -> Seal | None:
    try:
        fields: Any = orjson.loads(content)
        return Seal(
            int(fields["number"]),
            str(fields["sealed_at"]),
            fields["previous"],
            tuple(Sealed(*map(str, one)) for one in fields["records"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
