"""The sample documents."""

import re

from local.demo.documents import batches, documents


def test_there_are_enough_documents_of_the_right_length() -> None:
    items = documents()
    assert len(items) >= 24
    for item in items:
        assert 100 <= len(item["text"].split()) <= 300, item["id"]


def test_each_is_valid_for_the_service() -> None:
    items = documents()
    for item in items:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", item["id"])
        assert item["title"]
        assert item["metadata"].keys() == {"topic", "audience"}
        assert item["metadata"]["audience"] in {"beginner", "intermediate", "advanced"}
    assert len({item["id"] for item in items}) == len(items)
    assert len({item["title"] for item in items}) == len(items)


def test_batches_contain_every_document_once() -> None:
    items = documents()
    parts = list(batches(items, 10))
    assert [item for part in parts for item in part] == items
    assert max(len(part) for part in parts) == 10
