"""Made records: the fields that sealing and verification read, and filler for the rest."""

import base64
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path

import orjson

from chat.recording.record import Link, key_of
from records import copying
from records.seals import Seal, Sealed
from records.versions import RECORDS, SEALS, Version

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def record(link: Link, at: datetime, *, filler: str = "") -> tuple[str, bytes]:
    """Return the key and the content of a record."""
    key = key_of(at, link)
    fields = {
        "format": 1,
        "key": key,
        "writer": link._asdict(),
        "written_at": at.isoformat(),
        "conversation": "ab12",
        "texts": {"key_id": "k", "data": filler},
        "document_texts": {},
    }
    return key, orjson.dumps(fields)


class Writer:
    """A process that writes records."""

    def __init__(self, name: str) -> None:
        self.link = Link(name, 1, None)

    def next(self, at: datetime, *, filler: str = "") -> tuple[str, bytes]:
        """Return the next record of the chain."""
        key, content = record(self.link, at, filler=filler)
        name, sequence, _ = self.link
        self.link = Link(name, sequence + 1, sha256(content).hexdigest())
        return key, content


class MemoryBucket:
    """A bucket with versions in memory.

    `failing` is called before and after a seal is stored, and may raise.
    """

    def __init__(self, *, now: Callable[[], datetime] = lambda: BEGIN) -> None:
        self._now = now
        self._ids = count(1)
        self._stored: dict[str, list[tuple[Version, bytes]]] = {}
        self.failing: Callable[[str], None] = lambda _: None

    def put(self, key: str, data: bytes) -> None:
        """Store a new version."""
        version = Version(key, f"v{next(self._ids)}", len(data), self._now().isoformat())
        self._stored.setdefault(key, []).insert(0, (version, data))

    def delete(self, key: str) -> None:
        """Store a delete marker."""
        marker = Version(key, f"v{next(self._ids)}", 0, self._now().isoformat(), True)
        self._stored[key].insert(0, (marker, b""))

    def remove(self, key: str) -> None:
        """Remove an object with all its versions, which Object Lock would refuse."""
        del self._stored[key]

    def change(self, key: str, change: Callable[[bytes], bytes]) -> None:
        """Change the content of an object's newest version."""
        version, data = self._stored[key][0]
        changed = change(data)
        self._stored[key][0] = version._replace(size=len(changed)), changed

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self._stored if key.startswith(prefix))

    def versions(self, prefix: str) -> Iterator[Version]:
        for key in self.keys(prefix):
            yield from [version for version, _ in self._stored[key]]

    def contents(self, versions: Iterable[Version]) -> Iterator[tuple[Version, bytes]]:
        for one in versions:
            yield one, self.read(one.key, one.id)

    def read(self, key: str, version_id: str) -> bytes:
        return next(data for version, data in self._stored[key] if version.id == version_id)

    def put_new(self, key: str, data: bytes) -> bool:
        self.failing("before")
        if key in self._stored:
            return False
        self.put(key, data)
        self.failing("after")
        return True


class MadeRecords:
    """A bucket that is made while it is read, too large for memory: ten writers an hour, sealed
    each hour. Contents must be read once, in the order of the listing, records before seals.
    """

    def __init__(self, records: int, *, an_hour: int = 1_000, filler_bytes: int = 6_600) -> None:
        self._records = records
        self._an_hour = an_hour
        noise = random.Random(1).randbytes(filler_bytes)
        self._filler = base64.b64encode(noise).decode()
        self._sealed: list[Sealed] = []
        self._sizes: dict[str, int] = {}

    def versions(self, prefix: str) -> Iterator[Version]:
        if prefix == RECORDS:
            made = ((key, content) for key, content in self._made())
            for key, content in made:
                yield Version(key, "v1", len(content), BEGIN.isoformat())
        if prefix == SEALS:
            for seal in self._seals():
                yield Version(seal.key, "v1", len(seal.content()), seal.sealed_at)

    def contents(self, versions: Iterable[Version]) -> Iterator[tuple[Version, bytes]]:
        versions = list(versions)
        is_records = bool(versions) and versions[0].key.startswith(RECORDS)
        if is_records:
            for version, (key, content) in zip(versions, self._made(), strict=True):
                self._sealed.append(Sealed(key, version.id, sha256(content).hexdigest()))
                yield version, content
        else:
            for version, seal in zip(versions, self._seals(), strict=True):
                yield version, seal.content()

    def _made(self) -> Iterator[tuple[str, bytes]]:
        for first in range(0, self._records, self._an_hour):
            hour = BEGIN + timedelta(hours=first // self._an_hour)
            size = min(self._an_hour, self._records - first)
            for number in range(10):
                writer = Writer(sha256(f"{hour}{number}".encode()).hexdigest()[:32])
                yield from sorted(
                    writer.next(hour, filler=self._filler) for _ in range(number, size, 10)
                )

    def _seals(self) -> Iterator[Seal]:
        previous: str | None = None
        for number, first in enumerate(range(0, len(self._sealed), self._an_hour), 1):
            at = BEGIN + timedelta(hours=number)
            some = tuple(self._sealed[first : first + self._an_hour])
            seal = Seal(number, at.isoformat(), previous, some)
            previous = sha256(seal.content()).hexdigest()
            yield seal


def damage(folder: Path, changed: str, missing: str, twice: str) -> None:
    """Put three faults into a local copy: a changed bit, a missing record, a second version."""
    path = folder / copying.file_of(changed)
    data = bytearray(path.read_bytes())
    data[data.index(changed.encode()) + 1_000] ^= 1
    path.write_bytes(data)
    index = (folder / copying.INDEX).read_bytes().splitlines(keepends=True)
    kept = [line for line in index if missing.encode() not in line]
    second = next(line for line in index if twice.encode() in line)
    (folder / copying.INDEX).write_bytes(b"".join(kept) + second.replace(b'"v1"', b'"v2"'))
