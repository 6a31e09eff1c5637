"""A bucket in memory, with what S3 promises for conditional writes and listings."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from io import BytesIO

from shared.aws.bucket import ObjectChanged, ObjectInfo, ObjectPage, StoredObject


class Crash(BaseException):
    """The process was killed: no handler of errors runs."""


@dataclass
class Stored:
    """An object as S3 has it."""

    data: bytes
    modified: datetime

    @property
    def etag(self) -> str:
        return f'"{md5(self.data, usedforsecurity=False).hexdigest()}"'


@dataclass
class S3:
    """The objects of one bucket, and a clock that advances with every request."""

    objects: dict[str, Stored] = field(default_factory=dict)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def tick(self) -> datetime:
        self.now += timedelta(milliseconds=10)
        return self.now


class MemoryBucket:
    """The interface of `shared.aws.bucket.Bucket`; `before` and `after` see each request."""

    def __init__(self, s3: S3) -> None:
        self.name = "memory"
        self.s3 = s3
        self.requests: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda _operation, _key: None
        self.after: Callable[[str, str], None] = lambda _operation, _key: None

    def get(
        self, key: str, *, known: StoredObject | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        del max_bytes
        self._begin("get", key)
        found = self.s3.objects.get(key)
        self.after("get", key)
        if found is None:
            return None
        if known is not None and known.etag == found.etag:
            return known
        return StoredObject(found.data, found.etag)

    @contextmanager
    def open(self, key: str) -> Iterator[BytesIO | None]:
        found = self.get(key)
        yield None if found is None else BytesIO(found.data)

    def put(self, key: str, data: bytes) -> StoredObject:
        self._begin("put", key)
        return self._store(key, data)

    def put_if_absent(self, key: str, data: bytes) -> StoredObject:
        self._begin("put", key)
        if key in self.s3.objects:
            raise ObjectChanged
        return self._store(key, data)

    def put_if_match(self, key: str, data: bytes, etag: str) -> StoredObject:
        self._begin("put", key)
        found = self.s3.objects.get(key)
        if found is None or found.etag != etag:
            raise ObjectChanged
        return self._store(key, data)

    def delete_all(self, keys: Sequence[str]) -> None:
        if keys:
            self._begin("delete", keys[0])
            for key in keys:
                self.s3.objects.pop(key, None)
            self.after("delete", keys[0])

    def page(self, prefix: str, *, limit: int = 1000, after: str = "") -> ObjectPage:
        self._begin("list", prefix)
        keys = sorted(key for key in self.s3.objects if key.startswith(prefix) and key > after)
        infos = (
            ObjectInfo(key, len(self.s3.objects[key].data), self.s3.objects[key].modified)
            for key in keys[:limit]
        )
        return ObjectPage(tuple(infos), len(keys) > limit)

    def objects(self, prefix: str) -> Iterator[ObjectInfo]:
        yield from self.page(prefix, limit=len(self.s3.objects)).objects

    def check(self) -> None:
        """It can be reached."""

    def _begin(self, operation: str, key: str) -> None:
        self.s3.tick()
        self.requests.append((operation, key))
        self.before(operation, key)

    def _store(self, key: str, data: bytes) -> StoredObject:
        stored = Stored(data, self.s3.now)
        self.s3.objects[key] = stored
        self.after("put", key)
        return StoredObject(data, stored.etag)
