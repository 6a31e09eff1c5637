"""A wrong line of a set is named, with what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.question import InvalidSet, Place, read_questions

GOOD: dict[str, Any] = {
    "id": "q-1",
    "kind": "answerable",
    "question": "How much?",
    "places": [{"document": "fund"}],
}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], "line 1: is no JSON object"),
        (["", "[1]"], "line 2: is no JSON object"),
        ([json.dumps(GOOD), json.dumps(GOOD)], "line 2: the id q-1 occurs twice"),
        ([json.dumps(GOOD | {"places": []})], "needs at least one place"),
        ([json.dumps(GOOD | {"kind": "unanswerable"})], "has no places"),
        ([json.dumps(GOOD | {"kind": "riddle"})], "line 1: kind"),
        ([json.dumps(GOOD | {"anwser": "5"})], "line 1: anwser"),
        ([], "has no questions"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(InvalidSet, match=message):
        read_questions(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSet, match=r"questions\.jsonl is missing"):
        read_questions(tmp_path / "questions.jsonl")


def test_a_place_is_found_by_its_text_whatever_the_white_space() -> None:
    place = Place(document="fund", contains="costs 1 per cent")
    assert place.is_in("fund", "It costs\n1  per cent a year.")
    assert not place.is_in("fund", "It costs 2 per cent.")
    assert not place.is_in("other", "It costs 1 per cent.")
