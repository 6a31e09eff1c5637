"""A set of one's own is checked before it is written."""

import json
from pathlib import Path

import pytest

from evaluation.make_set import main
from evaluation.question_set import read_set
from evaluation.tests.small_set import small_set


def test_a_set_has_the_documents_and_questions_with_ids(tmp_path: Path) -> None:
    found = read_set(small_set(tmp_path))
    assert [one.id for one in found.documents] == ["rice", "tea"]
    assert [one.id for one in found.questions] == ["q-001", "q-002", "q-003"]


def test_a_label_that_fits_no_document_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "rice.txt").write_text("Rice costs 2 per cent.")
    question = {"kind": "answerable", "question": "?", "places": [{"document": "tea"}]}
    (tmp_path / "q.jsonl").write_text(json.dumps(question))
    out = tmp_path / "set"
    arguments = [str(tmp_path / "own"), str(tmp_path / "q.jsonl"), "--out", str(out)]
    assert main(arguments) == 2
    assert "q-001: there is no document tea" in capsys.readouterr().err
    assert list(out.iterdir()) == []
    question["places"] = [{"document": "rice"}]
    (tmp_path / "q.jsonl").write_text(json.dumps(question))
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert "is not empty" in capsys.readouterr().err
