"""Encoding and decoding a segment loses nothing; a segment with a changed byte is refused."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3vector import segments
from s3vector.postings import Postings, decode_postings
from s3vector.segments import CorruptObject, Segment, decode_segment, encode_segment, unit_vector
from s3vector.tests.fakes import DIMENSIONS, document, hashed_vector


def _decode(data: bytes) -> Segment:
    return decode_segment("key", data, checksum=sha256(data).hexdigest())


def test_documents_are_decoded_as_they_were_encoded() -> None:
    first = document("a", "one", "zwei ü 漢字", "", title="T", metadata={"k": ["x"], "n": 1.5})
    second = document("b", "four")
    segment = _decode(encode_segment([first, second], ["gone"], dimensions=DIMENSIONS))

    assert segment.deleted == {"gone"}
    assert segment.rows == 4
    for one in (first, second):
        held = segment.document(one.record.id, vectors=True)
        assert held.record == one.record
        assert [part.text for part in held.passages] == [part.text for part in one.passages]
        for part, original in zip(held.passages, one.passages, strict=True):
            assert list(part.vector or []) == pytest.approx(list(original.vector or []), abs=1e-6)


def test_a_segment_may_contain_tombstones_only() -> None:
    segment = _decode(encode_segment([], ["b", "a"], dimensions=DIMENSIONS))
    assert segment.rows == 0
    assert segment.deleted == {"a", "b"}
    assert segment.matrix.shape == (0, DIMENSIONS)


def test_vectors_begin_at_a_multiple_of_64_and_are_not_copied() -> None:
    data = encode_segment([document("a", "x" * 17)], [], dimensions=DIMENSIONS)
    assert data.index(b"x" * 17, data.index(b"]}")) % 64 == 4 * DIMENSIONS % 64
    assert not _decode(data).matrix.flags.owndata


def test_the_list_of_documents_is_not_read_where_there_are_columns() -> None:
    data = encode_segment([document("a", "x", title="T")], [], dimensions=DIMENSIONS)
    listed = re.search(rb'"documents":\[.*\]', data)
    assert listed
    damaged = data.replace(listed.group(), b"?" * len(listed.group()))
    assert _decode(damaged).record("a").title == "T"


def test_words_are_not_indexed_again_when_a_segment_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = encode_segment([document("a", "one two", "three", title="T")], [], dimensions=DIMENSIONS)
    monkeypatch.delattr(segments, "make_postings")
    assert _decode(data).postings.lengths.tolist() == [3, 2]


def test_only_a_search_for_words_decodes_the_postings(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode_segment([document("a", "one")], [], dimensions=DIMENSIONS)
    decoded: list[int] = []

    def decode(fields: Mapping[str, Any] | None, *, rows: int) -> Postings | None:
        decoded.append(rows)
        return decode_postings(fields, rows=rows)

    monkeypatch.setattr(segments, "decode_postings", decode)
    segment = _decode(data)
    segment.document("a", vectors=True)
    assert decoded == []
    assert segment.postings is segment.postings
    assert decoded == [1]


def test_postings_that_do_not_fit_to_the_rows_are_corrupt() -> None:
    data = encode_segment([document("a", "one")], [], dimensions=DIMENSIONS)
    other = encode_segment([document("a", "one", "two")], [], dimensions=DIMENSIONS)
    postings = [re.search(rb'"postings":{.*?}', one) for one in (data, other)]
    assert postings[0]
    assert postings[1]
    header = data[16 : postings[0].start()] + postings[1].group() + b"}"
    vectors_at = 16 + int.from_bytes(data[8:16], "little")
    changed = data[:8] + len(header).to_bytes(8, "little") + header + data[vectors_at:]
    with pytest.raises(CorruptObject, match="postings"):
        _ = _decode(changed).postings


def test_vectors_are_stored_with_length_one() -> None:
    vectors = [[3.0, 4.0] + [0.0] * (DIMENSIONS - 2)]
    matrix = _decode(
        encode_segment([document("a", "x", vectors=vectors)], [], dimensions=DIMENSIONS)
    ).matrix
    assert matrix[0][:2].tolist() == pytest.approx([0.6, 0.8])


def test_a_vector_of_another_dimension_is_not_written() -> None:
    with pytest.raises(ValueError, match="dimensions"):
        encode_segment([document("a", "x", vectors=[[1.0, 2.0]])], [], dimensions=DIMENSIONS)


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    whole = encode_segment([document("a", "text")], ["b"], dimensions=DIMENSIONS)
    checksum = sha256(whole).hexdigest()
    position = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]
    with pytest.raises(CorruptObject, match="the-key"):
        decode_segment("the-key", flipped, checksum=checksum)


@given(st.binary(max_size=300))
def test_a_file_that_never_was_a_segment_is_refused(tail: bytes) -> None:
    """Even if its checksum is right: a manifest may list any object."""
    header = b'{"dimensions":2,"documents":[],"deleted":[]}'
    valid = b"FASEG\x00\x00\x01" + len(header).to_bytes(8, "little") + header
    _decode(valid)
    for data in (tail, valid[:16] + tail, valid + b"x" + tail):
        with pytest.raises(CorruptObject):
            _decode(data)


@pytest.mark.parametrize("length", [10**30, -(10**30), "1", None])
def test_a_length_that_is_none_is_refused(length: object) -> None:
    record = {"id": "a", "title": "", "metadata": {}, "version": "1", "updated_at": ""}
    header = {"dimensions": 0, "documents": [{**record, "texts": [length]}], "deleted": []}
    encoded = json.dumps(header).encode()
    with pytest.raises(CorruptObject):
        _decode(b"FASEG\x00\x00\x01" + len(encoded).to_bytes(8, "little") + encoded)


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_a_vector_without_direction_is_refused(vector: list[float]) -> None:
    with pytest.raises(ValueError, match="finite numbers that are not all zero"):
        unit_vector(vector)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1).filter(any))
def test_every_other_vector_is_scaled_to_length_one(vector: list[float]) -> None:
    assert float((unit_vector(vector) ** 2).sum()) == pytest.approx(1.0, abs=1e-5)


def test_vectors_of_the_same_direction_are_stored_equal() -> None:
    vector = hashed_vector("some words")
    scaled = [one * 1e-200 for one in vector]
    assert unit_vector(scaled).tolist() == pytest.approx(unit_vector(vector).tolist(), abs=1e-6)
