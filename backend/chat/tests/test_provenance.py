"""Dates and pages come from a document's own metadata."""

from typing import Any

import pytest

from chat import provenance


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"as_of": "2026-04-01", "year": 2019}, "2026-04-01"),
        ({"published": "2025-06"}, "2025-06"),
        ({"date": "2024-01-31T10:00:00Z"}, "2024-01-31"),
        ({"effective": "2026"}, "2026"),
        ({"year": 2026}, "2026"),
        ({"year": 2026.0}, "2026"),
        ({"date": "yesterday", "year": "2023"}, "2023"),
        ({"date": "2026-13-01"}, None),
        ({"date": "2026-02-30"}, None),
        ({"date": '2026-01-01" x="'}, None),
        ({"date": True}, None),
        ({"date": ["2026-01-01"]}, None),
        ({"year": 7}, None),
        ({"updated_at": "2026-01-01"}, None),
        ({}, None),
    ],
)
def test_the_date_of_a_document(metadata: dict[str, Any], expected: str | None) -> None:
    assert provenance.as_of(metadata) == expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"page": 3}, 3),
        ({"page": 3.0}, 3),
        ({"page": "12"}, 12),
        ({"page_number": 2}, 2),
        ({"page": 0}, None),
        ({"page": -1}, None),
        ({"page": 1.5}, None),
        ({"page": True}, None),
        ({"page": "iv"}, None),
        ({"first_page": 7.0, "last_page": 7.0}, 7),
        ({"page": 2, "first_page": 7, "last_page": 7}, 2),
        ({"first_page": 1, "last_page": 35}, None),
        ({}, None),
    ],
)
def test_the_page_of_a_passage(metadata: dict[str, Any], expected: int | None) -> None:
    assert provenance.page(metadata) == expected
