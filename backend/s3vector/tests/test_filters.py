"""Filters match as Amazon S3 Vectors documents, and invalid ones are refused."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3vector.filters import MAX_CONDITIONS, MAX_DEPTH, parse_filter
from shared.documents import Metadata
from shared.errors import Unprocessable


def _matches(where: dict[str, Any], metadata: Metadata) -> bool:
    return parse_filter(where).matches(metadata)


@pytest.mark.parametrize(
    ("where", "metadata", "expected"),
    [
        ({"k": "a"}, {"k": "a"}, True),
        ({"k": "a"}, {"k": "b"}, False),
        ({"k": "a"}, {}, False),
        ({"k": "a"}, {"k": ["b", "a"]}, True),
        ({"k": {"$ne": "a"}}, {"k": ["b", "a"]}, False),
        ({"k": {"$ne": "a"}}, {}, True),
        ({"k": {"$nin": ["a"]}}, {}, True),
        ({"k": {"$in": ["a", 1]}}, {"k": 1}, True),
        ({"k": 1}, {"k": 1.0}, True),
        ({"k": 1}, {"k": True}, False),
        ({"k": True}, {"k": 1}, False),
        ({"k": False}, {"k": 0}, False),
        ({"k": "1"}, {"k": 1}, False),
        ({"k": {"$gt": 1}}, {"k": "2"}, False),
        ({"k": {"$gt": 0}}, {"k": True}, False),
        ({"k": {"$gt": 1}}, {}, False),
        ({"k": {"$gte": 1, "$lt": 2}}, {"k": 1}, True),
        ({"k": {"$gte": 1, "$lt": 2}}, {"k": 2}, False),
        ({"k": {"$exists": True}}, {"k": False}, True),
        ({"k": {"$exists": False}}, {"k": False}, False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"$or": [{"a": 1}, {"b": 2}]}, {"b": 2}, True),
        ({"$and": [{"a": 1}, {"$or": [{"b": 2}, {"b": 3}]}]}, {"a": 1, "b": 3}, True),
        ({"a": 1, "$or": [{"b": 2}, {"b": 3}]}, {"a": 2, "b": 3}, False),
    ],
)
def test_a_filter_matches_as_documented(
    where: dict[str, Any], metadata: Metadata, expected: bool
) -> None:
    assert _matches(where, metadata) is expected


def _nested(depth: int) -> dict[str, Any]:
    where: dict[str, Any] = {"k": 1}
    for _ in range(depth - 1):
        where = {"$and": [where]}
    return where


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({}, "must not be empty"),
        ({"$nor": [{"a": 1}]}, r"\$nor: unknown operator"),
        ({"k": {"$like": "a"}}, r"k\.\$like: unknown operator; use one of \$eq"),
        ({"k": {"eq": "a"}}, "unknown operator"),
        ({"k": {}}, r"filter\.k: expected a value or one of"),
        ({"k": None}, "expected a string, a number, true or false"),
        ({"k": ["a"]}, "expected a string, a number"),
        ({"k": {"$eq": ["a"]}}, "expected a string"),
        ({"k": {"$gt": "a"}}, "expected a number"),
        ({"k": {"$gt": True}}, "expected a number"),
        ({"k": {"$in": "a"}}, "expected a list of 1 to"),
        ({"k": {"$in": []}}, "expected a list of 1 to"),
        ({"k": {"$in": ["a"] * 101}}, "expected a list of 1 to"),
        ({"k": {"$in": [{"a": 1}]}}, r"\$in\[0\]: expected"),
        ({"k": {"$exists": 1}}, "expected true or false"),
        ({"k": float("nan")}, "finite number"),
        ({"k": float("inf")}, "finite number"),
        ({"k": 10**400}, "finite number"),
        ({"$and": {"a": 1}}, "expected a list of at least one filter"),
        ({"$or": []}, "expected a list of at least one filter"),
        ({"$or": ["a"]}, r"\$or\[0\]: expected an object"),
        ({"$or": [{}]}, r"\$or\[0\]: must not be empty"),
        ({"_passage": "x"}, "_passage"),
        ({"": 1}, "metadata key"),
        ({"k" * 65: 1}, "longer than 64"),
        ({"k": "v" * 1025}, "longer than 1024"),
        ({"k": "\ud800"}, "not valid Unicode"),
        ({"\ud800": 1}, "not valid Unicode"),
        (_nested(MAX_DEPTH + 1), "nested deeper than"),
        (_nested(150), "nested deeper than"),
        ({"$or": [{"a": 1}] * (MAX_CONDITIONS + 1)}, "at most"),
        ({"$or": [{"a": 1}] * 100_000}, "at most"),
        ({f"k{n}": 1 for n in range(MAX_CONDITIONS + 1)}, "at most"),
    ],
)
def test_an_invalid_filter_is_refused_with_its_path_and_the_rule(
    where: dict[str, Any], message: str
) -> None:
    with pytest.raises(Unprocessable, match=message) as caught:
        parse_filter(where)
    caught.value.detail.encode()


def test_the_deepest_allowed_filter_is_accepted() -> None:
    assert _matches(_nested(MAX_DEPTH), {"k": 1})


def test_negations_tell_s3_vectors_explicitly_to_match_missing_keys() -> None:
    where = {"a": {"$ne": 1}, "b": {"$gte": 1, "$lt": 5}, "c": {"$nin": ["x"]}, "d": "y"}
    assert parse_filter(where).to_s3vectors() == {
        "$and": [
            {"$or": [{"a": {"$ne": 1}}, {"a": {"$exists": False}}]},
            {"b": {"$gte": 1}},
            {"b": {"$lt": 5}},
            {"$or": [{"c": {"$nin": ["x"]}}, {"c": {"$exists": False}}]},
            {"d": {"$eq": "y"}},
        ]
    }


_KEYS = st.sampled_from(["a", "b", "c"])
_SCALARS = st.one_of(
    st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, -2.0]), st.sampled_from("xyz")
)
_NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 1.0]))
_CONDITIONS = st.one_of(
    _SCALARS,
    st.fixed_dictionaries({"$eq": _SCALARS}),
    st.fixed_dictionaries({"$ne": _SCALARS}),
    st.fixed_dictionaries({"$in": st.lists(_SCALARS, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"$nin": st.lists(_SCALARS, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"$exists": st.booleans()}),
    st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), _NUMBERS, min_size=1),
)
_LEAVES = st.dictionaries(_KEYS, _CONDITIONS, min_size=1, max_size=2)
_FILTERS = st.recursive(
    _LEAVES,
    lambda inner: st.dictionaries(
        st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=3), min_size=1
    ),
    max_leaves=6,
)
_METADATA = st.dictionaries(
    _KEYS, st.one_of(_SCALARS, st.lists(st.sampled_from("xyz"), min_size=1, max_size=3))
)


def _oracle(where: dict[str, Any], metadata: Metadata) -> bool:
    """A second, plain implementation of the documented meaning, for valid filters only."""

    def same(one: Any, other: Any) -> bool:
        if isinstance(one, bool) or isinstance(other, bool):
            return one is other
        return bool(one == other)

    def holds(key: str, operator: str, operand: Any) -> bool:
        value: Any = metadata.get(key, ())
        elements = value if isinstance(value, list | tuple) else [value]
        numbers = [
            one for one in elements if isinstance(one, int | float) and not isinstance(one, bool)
        ]
        equal = [same(one, operand) for one in elements]
        among = [same(one, each) for one in elements for each in _listed(operand)]
        meanings: dict[str, Callable[[], bool]] = {
            "$eq": lambda: any(equal),
            "$ne": lambda: not any(equal),
            "$in": lambda: any(among),
            "$nin": lambda: not any(among),
            "$exists": lambda: (key in metadata) is operand,
            "$gt": lambda: any(one > operand for one in numbers),
            "$gte": lambda: any(one >= operand for one in numbers),
            "$lt": lambda: any(one < operand for one in numbers),
            "$lte": lambda: any(one <= operand for one in numbers),
        }
        return meanings[operator]()

    results = []
    for key, value in where.items():
        if key == "$and":
            results.append(all(_oracle(one, metadata) for one in value))
        elif key == "$or":
            results.append(any(_oracle(one, metadata) for one in value))
        elif isinstance(value, dict):
            results += [holds(key, operator, operand) for operator, operand in value.items()]
        else:
            results.append(holds(key, "$eq", value))
    return all(results)


def _listed(operand: Any) -> list[Any]:
    return operand if isinstance(operand, list) else []


@given(_FILTERS, _METADATA)
def test_filters_agree_with_a_second_plain_implementation(
    where: dict[str, Any], metadata: Metadata
) -> None:
    try:
        parsed = parse_filter(where)
    except Unprocessable as error:
        assert "nested deeper" in error.detail  # noqa: PT017 - the only refusal possible here
        return
    assert parsed.matches(metadata) is _oracle(where, metadata)
    # The filter in the form that is sent to S3 Vectors matches the same.
    assert parse_filter(parsed.to_s3vectors()).matches(metadata) is _oracle(where, metadata)


_JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=3), st.sampled_from(["$and", "$or", "$in", "$eq", "k"])),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.one_of(st.text(max_size=3), st.sampled_from(["$and", "k"])), _JUNK))
def test_any_json_is_refused_or_evaluated_without_an_unexpected_error(
    where: dict[str, Any],
) -> None:
    try:
        parse_filter(where).matches({"k": ["a"], "n": 1})
    except Unprocessable as error:
        assert error.detail.startswith("filter")  # noqa: PT017
