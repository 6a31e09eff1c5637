"""Documents and their metadata are refused beyond the limits that every store supports."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.documents import (
    MAX_METADATA_KEYS,
    MAX_TEXT_CHARACTERS,
    DocumentBody,
    DocumentFields,
    check_metadata,
    require_distinct_ids,
)


@pytest.mark.parametrize(
    "metadata",
    [{}, {"k": "v"}, {"k": 1}, {"k": -2.5}, {"k": True}, {"k": ["a", "b"]}, {"a.b-c_d": "ü漢"}],
)
def test_valid_metadata_is_accepted(metadata: dict[str, Any]) -> None:
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
def test_invalid_metadata_is_refused(metadata: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        check_metadata(metadata)
    str(caught.value).encode()


def test_a_document_keeps_its_values_and_their_types() -> None:
    metadata = {"a": True, "b": 1, "c": 1.5, "d": "x", "e": ["y", "z"]}
    fields = {"id": "A.b_c:d-1", "text": "x" * MAX_TEXT_CHARACTERS, "title": "T" * 300}
    document = DocumentBody.model_validate({**fields, "metadata": metadata})
    assert document.model_dump() == {**fields, "metadata": metadata}
    assert [type(one) for one in document.metadata.values()] == [bool, int, float, str, list]


def test_title_and_metadata_may_be_omitted_or_null() -> None:
    for body in ({"id": "a"}, {"id": "a", "title": None, "metadata": None}):
        document = DocumentFields.model_validate(body)
        assert (document.title, document.metadata) == (None, {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ""}, "pattern"),
        ({"id": "x" * 129}, "pattern"),
        ({"id": "a/b"}, "pattern"),
        ({"id": "a\n"}, "pattern"),
        ({"id": "a..b"}, "must not contain"),
        ({"id": 1}, "string"),
        ({"text": ""}, "at least 1"),
        ({"text": " \n"}, "must not be blank"),
        ({"text": "x" * (MAX_TEXT_CHARACTERS + 1)}, "at most 50000"),
        ({"text": "\ud800"}, "lone surrogate"),
        ({"title": ""}, "at least 1"),
        ({"title": "\t"}, "must not be blank"),
        ({"title": "x" * 301}, "at most 300"),
        ({"title": "\udfff"}, "lone surrogate"),
        ({"metadata": []}, "expected an object"),
        ({"metadata": {f"k{n}": 1 for n in range(MAX_METADATA_KEYS + 1)}}, "at most 40 keys"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_a_document_out_of_bounds_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DocumentBody.model_validate({"id": "a", "text": "b", **changes})


def test_two_documents_must_not_have_the_same_id() -> None:
    one, other = DocumentFields(id="a"), DocumentFields(id="b")
    assert require_distinct_ids([one, other]) == [one, other]
    with pytest.raises(ValueError, match="the id 'a' occurs twice"):
        require_distinct_ids([one, other, one])


def test_personal_numbers_are_masked_wherever_a_document_has_them() -> None:
    card, iban = "4111 1111 1111 1111", "DE89370400440532013000"
    document = DocumentBody.model_validate(
        {
            "id": "a",
            "text": f"Paid with {card}.",
            "title": f"Statement {iban}",
            "metadata": {"account": iban, "cards": [card, "none"], "year": 2026},
        }
    )
    assert document.text == "Paid with [card number]."
    assert document.title == "Statement [IBAN]"
    assert document.metadata == {
        "account": "[IBAN]",
        "cards": ["[card number]", "none"],
        "year": 2026,
    }
