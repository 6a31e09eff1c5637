"""A filter over columns matches the same documents as over each document's metadata."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3vector.columns import Columns
from s3vector.filters import parse_filter

_KEYS = st.sampled_from(["a", "b"])
_SCALARS = st.one_of(
    st.booleans(), st.integers(-2, 2), st.sampled_from([0.5, 1.0]), st.sampled_from(["x", "y", ""])
)
_METADATA = st.dictionaries(_KEYS, st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3)))
_NUMBERS = st.one_of(st.integers(-2, 2), st.sampled_from([0.5, 1.0]))
_CONDITIONS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne"]), _SCALARS),
    st.tuples(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), _NUMBERS),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(_SCALARS, min_size=1, max_size=3)),
    st.tuples(st.just("$exists"), st.booleans()),
).map(lambda pair: dict([pair]))
_FILTERS = st.recursive(
    st.dictionaries(_KEYS, _CONDITIONS, min_size=1),
    lambda inner: st.dictionaries(
        st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=3), min_size=1
    ),
    max_leaves=4,
)


@given(st.lists(_METADATA, max_size=8), _FILTERS)
def test_columns_agree_with_each_document(metadata: Any, document: dict[str, Any]) -> None:
    where = parse_filter(document)
    found = Columns(metadata).matching(where).tolist()
    assert found == [where.matches(one) for one in metadata]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"a": 1}, [True, False, False, True, False]),
        ({"a": True}, [False, True, False, False, False]),
        ({"a": {"$ne": 1}}, [False, True, True, False, True]),
        ({"a": {"$gte": 1}}, [True, False, False, True, False]),
        ({"a": {"$exists": True}}, [True, True, False, True, True]),
        ({"a": "unknown"}, [False] * 5),
    ],
)
def test_a_boolean_is_no_number_and_an_empty_list_has_no_value(
    where: dict[str, Any], expected: list[bool]
) -> None:
    metadata: list[Any] = [{"a": 1}, {"a": True}, {}, {"a": [0, 1.0]}, {"a": []}]
    columns = Columns(metadata)
    assert columns.matching(parse_filter(where)).tolist() == expected
    assert columns.matching(parse_filter(where)).tolist() == expected
