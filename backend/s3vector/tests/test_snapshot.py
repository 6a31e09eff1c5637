"""Search in memory is exact, however the documents are spread over segments."""

from hashlib import sha256

import numpy as np
import pytest

from s3vector.compaction import merge
from s3vector.filters import parse_filter
from s3vector.manifest import Manifest, SegmentEntry
from s3vector.segments import Segment, decode_segment, encode_segment
from s3vector.snapshot import Snapshot
from s3vector.store import Document
from s3vector.tests.fakes import document, hashed_vector

_SPACE = 16


def _snapshot(*segments: tuple[list[Document], list[str]], dimensions: int = _SPACE) -> Snapshot:
    decoded, entries = [], []
    for number, (documents, deleted) in enumerate(segments):
        data = encode_segment(documents, deleted, dimensions=dimensions)
        checksum = sha256(data).hexdigest()
        decoded.append(decode_segment(f"s{number}", data, checksum=checksum))
        entries.append(SegmentEntry(f"s{number}", checksum, len(data), decoded[-1].rows))
    return Snapshot(Manifest("space", dimensions, "2026-01-01", tuple(entries)), decoded)


def _decoded(key: str, data: bytes) -> Segment:
    return decode_segment(key, data, checksum=sha256(data).hexdigest())


def _segment(key: str, documents: list[Document], deleted: list[str]) -> Segment:
    return _decoded(key, encode_segment(documents, deleted, dimensions=_SPACE))


def _manifest_of(commits: list[str]) -> Manifest:
    return Manifest("space", _SPACE, "2026-01-01", commits=tuple(commits))


def _random(rng: np.random.Generator, document_id: str, rows: int, version: str) -> Document:
    vectors = rng.standard_normal((rows, _SPACE)).tolist()
    texts = [f"{version} {number}" for number in range(rows)]
    metadata = {"parity": int(document_id[1:]) % 2}
    return document(document_id, *texts, vectors=vectors, metadata=metadata, version=version)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("filtered", [False, True])
def test_search_agrees_with_comparing_every_vector(seed: int, filtered: bool) -> None:
    """Also after documents were replaced, deleted and stored again in several segments."""
    rng = np.random.default_rng(seed)
    held: dict[str, Document] = {}
    segments = []
    for turn in range(6):
        ids = {f"d{number}" for number in rng.integers(0, 15, 6)}
        documents = [_random(rng, one, int(rng.integers(1, 5)), f"v{turn}") for one in sorted(ids)]
        deleted = [f"d{number}" for number in rng.integers(0, 15, 2) if f"d{number}" not in ids]
        for one in deleted:
            held.pop(one, None)
        held |= {one.record.id: one for one in documents}
        segments.append((documents, deleted))
    snapshot = _snapshot(*segments)
    query = rng.standard_normal(_SPACE)

    expected = []
    for document_id, whole in held.items():
        if filtered and whole.record.metadata["parity"] != 1:
            continue
        for number, passage in enumerate(whole.passages):
            vector = np.asarray(passage.vector, dtype=np.float64)
            score = vector @ query / np.linalg.norm(vector) / np.linalg.norm(query)
            expected.append((-score, document_id, number, passage.text))
    expected.sort()

    where = parse_filter({"parity": 1}) if filtered else None
    for top_k in (1, 7, 100):
        hits = snapshot.search(query.tolist(), top_k, where)
        found = [(hit.document_id, hit.number, hit.text) for hit in hits]
        assert found == [one[1:] for one in expected[:top_k]]
        assert [hit.score for hit in hits] == pytest.approx(
            [-one[0] for one in expected[:top_k]], abs=1e-5
        )
    assert snapshot.documents == len(held)
    assert snapshot.ids == sorted(held)
    assert snapshot.passages == sum(len(whole.passages) for whole in held.values())


@pytest.mark.parametrize("seed", range(6))
def test_a_state_made_from_the_one_before_is_the_same_as_a_new_one(seed: int) -> None:
    """Puts, deletions and merges, one at a time."""
    rng = np.random.default_rng(seed)
    previous = None
    segments: list[Segment] = []
    commits: list[str] = []
    for turn in range(20):
        ids = {f"d{number}" for number in rng.integers(0, 12, 3)}
        deleted = {f"d{number}" for number in rng.integers(0, 12, 2)} - ids
        documents = [_random(rng, one, int(rng.integers(1, 3)), f"v{turn}") for one in sorted(ids)]
        segments.append(_segment(f"s{turn}", documents, sorted(deleted)))
        if turn % 4 == 3:
            start = int(rng.integers(0, len(segments) - 1))
            run = range(start, min(start + 3, len(segments)))
            whole = Snapshot(_manifest_of(commits), segments)
            merged = merge(whole, run)
            left = [] if merged is None else [_decoded(f"m{turn}", merged.data)]
            segments[run.start : run.stop] = left
        commits.append(f"c{turn}")
        new = Snapshot(_manifest_of(commits), segments)
        previous = Snapshot(_manifest_of(commits), segments, previous=previous)
        assert previous.ids == new.ids
        assert previous.live_bytes == new.live_bytes
        assert previous.passages == new.passages
        query = rng.standard_normal(_SPACE).tolist()
        assert previous.search(query, 5, None) == new.search(query, 5, None)


def test_an_older_manifest_that_was_restored_revives_its_documents() -> None:
    first = _segment("s0", [document("a", "t", vectors=[[1.0] * _SPACE])], [])
    second = _segment("s1", [], ["a"])
    later = Snapshot(_manifest_of(["c0", "c1"]), [first, second])
    assert later.ids == []
    assert Snapshot(_manifest_of(["c0"]), [first], previous=later).ids == ["a"]


def test_equal_scores_are_ordered_by_id_in_whatever_segment() -> None:
    ids = ["e", "b", "d", "a", "c"]
    vectors = [[1.0] + [0.0] * (_SPACE - 1)]
    one_each = _snapshot(*(([document(one, "t", vectors=vectors)], []) for one in ids))
    together = _snapshot(([document(one, "t", vectors=vectors) for one in ids], []))
    for snapshot in (one_each, together):
        hits = snapshot.search(vectors[0], 3, None)
        assert [hit.document_id for hit in hits] == ["a", "b", "c"]


def test_scores_stay_within_minus_one_and_one() -> None:
    vector = [0.1] * _SPACE
    snapshot = _snapshot(([document("a", "t", vectors=[vector])], []))
    (near,) = snapshot.search(vector, 1, None)
    (far,) = snapshot.search([-one for one in vector], 1, None)
    assert near.score == pytest.approx(1.0)
    assert far.score == pytest.approx(-1.0)
    assert near.score is not None
    assert far.score is not None
    assert near.score <= 1.0
    assert far.score >= -1.0


def test_live_bytes_count_what_a_rewrite_keeps() -> None:
    one = document("a", "t", "u", vectors=[hashed_vector("t", _SPACE), hashed_vector("u", _SPACE)])
    other = document("b", "t", vectors=[hashed_vector("t", _SPACE)])
    snapshot = _snapshot(([one, other], []), ([other], []), ([], ["c"]))
    first, second, third = snapshot.live_bytes
    assert first == snapshot.segments[0].size * 2 // 3
    assert second == snapshot.segments[1].size
    assert third == 0
