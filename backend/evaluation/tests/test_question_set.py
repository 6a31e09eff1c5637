"""The project's own set, and the documents of a folder."""

from collections import Counter
from pathlib import Path

import pytest

from evaluation.question import InvalidSet
from evaluation.question_set import OWN_FOLDER, missing_places, read_documents, read_set


def test_the_own_set_has_every_kind_of_question() -> None:
    found = read_set(OWN_FOLDER)
    kinds = Counter(one.kind for one in found.questions)
    assert sum(kinds.values()) >= 100
    assert min(kinds.values()) >= 3
    assert kinds.keys() >= {
        *("answerable", "unanswerable", "follow_up", "new_topic", "date", "comparison"),
        *("filter", "recommendation", "distress", "injection", "long_history"),
    }


def test_the_documents_have_what_the_labels_name() -> None:
    assert list(missing_places(read_set(OWN_FOLDER))) == []


def test_front_matter_is_metadata_with_numbers_and_lists(tmp_path: Path) -> None:
    (tmp_path / "fund.md").write_text(
        '---\ntitle: A fund\nyear: 2025\nregions: ["eu"]\nas_of: 2025-12-31\n---\nIt costs 1 %.\n'
    )
    (one,) = read_documents(tmp_path)
    assert (one.id, one.title, one.text) == ("fund", "A fund", "It costs 1 %.")
    assert one.metadata == {"year": 2025, "regions": ["eu"], "as_of": "2025-12-31"}


def test_a_rule_at_the_top_of_a_text_is_no_front_matter(tmp_path: Path) -> None:
    (tmp_path / "fund.md").write_text("---\nIt costs 1 %.\n---\nNothing else.\n")
    (one,) = read_documents(tmp_path)
    assert one.text.startswith("---")


def test_a_long_document_is_stored_in_parts(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("A sentence about funds. " * 3_000)
    parts = list(read_documents(tmp_path))
    assert len(parts) == 2
    assert parts[0].id == "long"
    assert parts[0].id != parts[1].id


def test_a_document_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "scan.png").write_bytes(b"\x89PNG")
    with pytest.raises(InvalidSet, match=r"scan\.png: unsupported"):
        list(read_documents(tmp_path))
