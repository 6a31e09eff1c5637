"""Metadata is what both engines can hold and filter by."""

from typing import Any

import pytest

from shared.documents import check_metadata


@pytest.mark.parametrize(
    "metadata",
    [{}, {"k": "v"}, {"k": 1}, {"k": -2.5}, {"k": True}, {"k": ["a", "b"]}, {"a.b-c_d": "ü漢"}],
)
def test_what_may_be_stored(metadata: dict[str, Any]) -> None:
    assert check_metadata(metadata) == metadata


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ([], "expected an object"),
        ({"_passage": "x"}, "key '_passage' is not allowed"),
        ({"$eq": "x"}, "is not allowed"),
        ({"": "x"}, "is not allowed"),
        ({"k" * 65: "x"}, "is not allowed"),
        ({"k\n": "x"}, "is not allowed"),
        ({"k": None}, "expected a string"),
        ({"k": {"a": 1}}, "expected a string"),
        ({"k": []}, "omit an empty list"),
        ({"k": [1]}, "strings only"),
        ({"k": ["a"] * 51}, "1 to 50"),
        ({"k": float("nan")}, "finite"),
        ({"k": float("inf")}, "finite"),
        ({"k": 2**53 + 1}, "2\\^53"),
        ({"k": 10**400}, "2\\^53"),
        ({"k": "\ud800"}, "Unicode"),
        ({"k": ["\ud800"]}, "Unicode"),
        ({"k": "x" * 2001}, "2000 bytes"),
        ({f"k{number}": 1 for number in range(41)}, "at most 40 keys"),
    ],
)
def test_what_may_not(metadata: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        check_metadata(metadata)
    str(caught.value).encode()
