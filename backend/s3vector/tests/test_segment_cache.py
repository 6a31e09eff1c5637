"""A segment that is damaged on the way is read again; a damaged one is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO

import pytest

from s3vector.manifest import SegmentEntry
from s3vector.pool import Pool
from s3vector.segment_cache import SegmentCache, SegmentMissing
from s3vector.segments import CorruptObject, encode_segment
from s3vector.tests.fakes import DIMENSIONS, document
from s3vector.tests.memory_bucket import S3, MemoryBucket

_DATA = encode_segment([document("a")], (), dimensions=DIMENSIONS)
_ENTRY = SegmentEntry(
    key="segment", checksum=sha256(_DATA).hexdigest(), size=len(_DATA), passages=1
)


class NoisyBucket(MemoryBucket):
    """Changes the last byte of what is read without S3's checksum."""

    @contextmanager
    def open(self, key: str) -> Iterator[BytesIO | None]:
        with super().open(key) as body:
            assert body is not None
            data = body.read()
        yield BytesIO(data[:-1] + bytes([data[-1] ^ 1]))


def _cache(s3: S3) -> SegmentCache:
    bucket = NoisyBucket(s3)
    return SegmentCache(bucket, dimensions=DIMENSIONS, pool=Pool(1))  # type: ignore[arg-type]


@pytest.fixture
def s3() -> S3:
    s3 = S3()
    MemoryBucket(s3).put("segment", _DATA)
    return s3


def test_damage_on_the_way_is_no_damage_of_the_object(s3: S3) -> None:
    (segment,) = _cache(s3).load([_ENTRY], keep=["segment"])
    assert segment.document("a", vectors=False).passages[0].text == "text of a"


def test_a_damaged_object_is_named(s3: S3) -> None:
    MemoryBucket(s3).put("segment", _DATA[:-1] + b"?")
    with pytest.raises(CorruptObject, match="segment"):
        _cache(s3).load([_ENTRY], keep=["segment"])


def test_an_object_that_is_deleted_meanwhile_is_missing(s3: S3) -> None:
    cache = _cache(s3)
    bucket = cache._bucket
    assert isinstance(bucket, MemoryBucket)
    bucket.after = lambda _operation, key: s3.objects.pop(key, None) and None
    with pytest.raises(SegmentMissing):
        cache.load([_ENTRY], keep=["segment"])
