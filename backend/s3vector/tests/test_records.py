"""Records by columns are those of the list, whether they were encoded or not."""

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3vector.filters import parse_filter
from s3vector.records import Coded, Records, decode_numbers, encode_numbers
from s3vector.store import DocumentRecord

_VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 0.0, 1, 1.0]),
    st.text(st.characters(codec="utf-8"), max_size=4),
    st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2),
)
_DOCUMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text(st.characters(codec="utf-8"), min_size=1, max_size=4),
            "title": st.none() | st.sampled_from(["", "A", "\u6f22"]),
            "metadata": st.dictionaries(st.sampled_from(["a", "b"]), _VALUES),
            "version": st.sampled_from(["1", "2"]),
            "updated_at": st.sampled_from(["2025", "2026"]),
            "texts": st.lists(st.integers(0, 9), max_size=3),
        }
    ),
    max_size=6,
    unique_by=lambda one: str(one["id"]),
)


def _document(document_id: str, passages: int = 1, **metadata: Any) -> dict[str, Any]:
    fields = {"title": None, "version": "1", "updated_at": "2026", "texts": [0] * passages}
    return {"id": document_id, "metadata": metadata, **fields}


@given(_DOCUMENTS)
def test_a_record_is_the_documents_own(documents: list[dict[str, Any]]) -> None:
    made = Records.of(documents)
    for records in (made, Records.decode(made.encode())):
        rows = [records.rows(number) for number in range(len(documents))]
        assert [one for each in rows for one in each] == list(range(records.count_of_rows))
        for number, one in enumerate(documents):
            assert records.numbers[one["id"]] == number
            # Not by ==, which takes 1, 1.0 and True for equal.
            assert repr(records[number]) == repr(
                DocumentRecord(
                    id=one["id"],
                    title=one["title"],
                    metadata=one["metadata"],
                    version=one["version"],
                    updated_at=one["updated_at"],
                    passages=len(one["texts"]),
                )
            )
            assert {records.number_of(row) for row in rows[number]} <= {number}


def test_a_filter_matches_every_row_of_a_document() -> None:
    documents = [_document("a", 2, k=1), _document("b", 0, k=1), _document("c", 1, k=2)]
    records = Records.of([*documents, _document("d", 1, k=1)])
    matching = records.matching_rows(parse_filter({"k": 1}))
    assert matching.tolist() == [True, True, False, True]


def test_equal_values_are_kept_once() -> None:
    column = Coded.of([{"a": 1}, {"a": 1}, {"a": 1.0}, {"a": True}])
    assert repr(column.values) == "[{'a': 1}, {'a': 1.0}, {'a': True}]"
    assert column.codes.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ids", ["a"]),
        ("ids", ["a", "a"]),
        ("versions", ["1"]),
        ("passages", encode_numbers([1])),
        ("passages", "AAAA"),
        ("passages", "*"),
        ("titles", {"values": [None], "codes": encode_numbers([0])}),
        ("titles", {"values": [None], "codes": encode_numbers([0, 1])}),
        ("metadata", {"values": [], "codes": encode_numbers([0, 0])}),
    ],
)
def test_columns_that_do_not_fit_are_refused(name: str, value: object) -> None:
    columns = Records.of([_document("a"), _document("b")]).encode()
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the library's for some
        Records.decode({**columns, name: value})


def test_numbers_are_little_endian(monkeypatch: pytest.MonkeyPatch) -> None:
    assert encode_numbers([1, 2**32 - 1]) == "AQAAAP////8="
    assert decode_numbers("AQAAAP////8=").tolist() == [1, 2**32 - 1]
    monkeypatch.setattr("sys.byteorder", "big")  # then each number's bytes are exchanged
    assert decode_numbers("AQAAAA==").tolist() == [2**24]
    assert encode_numbers(array("I", [2**24])) == "AQAAAA=="
