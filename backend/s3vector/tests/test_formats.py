"""Every format that was released is read and continued, and the release before reads the result."""

from pathlib import Path

import pytest

from s3vector.compaction import Limits
from s3vector.pool import Pool
from s3vector.s3_store import PREFIX, S3VectorStore
from s3vector.tests import release_1
from s3vector.tests.fakes import DIMENSIONS, SPACE, document, hashed_vector
from s3vector.tests.memory_bucket import S3, MemoryBucket, Stored

_FORMATS = Path(__file__).parent / "formats"

_TEXTS = {
    "tax": "Form 10-K and section 401(k)\nzweite Stelle, 二番目",
    "old": "second version",
    "late": "BRK.B rose",
    "other": "four",
    "last": "five",
}


def _bucket(release: str) -> S3:
    s3 = S3()
    folder = _FORMATS / release
    for path in folder.rglob("*"):
        if path.is_file():
            key = f"{PREFIX}{path.relative_to(folder).as_posix()}"
            s3.objects[key] = Stored(path.read_bytes(), s3.now)
    return s3


def _store(s3: S3, *, fanout: int = 100) -> S3VectorStore:
    return S3VectorStore(
        MemoryBucket(s3),  # type: ignore[arg-type]
        space=SPACE,
        dimensions=DIMENSIONS,
        capacity_bytes=2**20,
        pool=Pool(1),
        limits=Limits(max_segment_bytes=64 * 1024, fanout=fanout),
    )


def _texts(store: S3VectorStore) -> dict[str, str]:
    ids = [one.id for one in store.page(100, None).records]
    return {
        key: "\n".join(passage.text for passage in one.passages)
        for key, one in store.get(ids).items()
    }


def _read_by_release_1(s3: S3) -> dict[str, str]:
    return release_1.texts({key: one.data for key, one in s3.objects.items()})


@pytest.fixture(params=sorted(path.name for path in _FORMATS.iterdir() if path.is_dir()))
def s3(request: pytest.FixtureRequest) -> S3:
    return _bucket(request.param)


def test_a_released_format_is_read(s3: S3) -> None:
    store = _store(s3)
    assert _texts(store) == _TEXTS
    tax = store.get(["tax"])["tax"].record
    assert tax.title == "Tax"
    assert tax.metadata == {
        "topic": "tax",
        "year": 2025,
        "draft": False,
        "tags": ["a", "b"],
        "rate": 1.5,
    }
    hits = store.query(hashed_vector("BRK.B rose"), 1, None)
    assert [(one.document_id, one.text) for one in hits] == [("late", "BRK.B rose")]


def test_words_are_found_in_a_released_format(s3: S3) -> None:
    """Segments of releases that stored no postings, too."""
    store = _store(s3)
    for words, expected in (
        ("10-K", "tax"),
        ("401k", "tax"),
        ("BRK.B", "late"),
        ("\u756a\u76ee", "tax"),
    ):
        assert [one.document_id for one in store.query(None, 5, None, words=words)] == [expected]
    before = store.query(None, 5, None, words="form BRK.B version")
    store.put([document("new", "unrelated")])
    store.delete("new")
    assert store.query(None, 5, None, words="form BRK.B version") == before


def test_the_release_before_reads_what_this_one_added(s3: S3) -> None:
    """A rollback finds every document, also those that were put since."""
    store = _store(s3)
    store.put([document("new", "put by this release")])
    store.put([document("old", "third version")])
    store.delete("last")
    expected = {**_TEXTS, "new": "put by this release", "old": "third version"}
    del expected["last"]
    assert _texts(_store(s3)) == expected
    assert _read_by_release_1(s3) == expected


def test_the_release_before_reads_what_this_one_merged(s3: S3) -> None:
    store = _store(s3, fanout=2)
    for number in range(4):
        store.put([document(f"new{number}", f"text {number}")])
    assert store.stats().segments == 1
    assert _texts(_store(s3)) == _read_by_release_1(s3)
    assert _read_by_release_1(s3).keys() == {*_TEXTS, *(f"new{number}" for number in range(4))}
