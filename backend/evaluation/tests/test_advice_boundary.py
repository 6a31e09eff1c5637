"""Precision and recall of the boundary, and what its held-out half may show."""

import json
from collections import Counter
from pathlib import Path

import pytest

from evaluation import advice_boundary
from evaluation.question import InvalidSet, read_json_lines


def labelled(folder: Path, name: str, *rows: tuple[str, str]) -> None:
    lines = [json.dumps({"question": asked, "category": label}) for asked, label in rows]
    (folder / f"{name}.jsonl").write_text("\n".join(lines))


def test_precision_and_recall_are_of_each_category(tmp_path: Path) -> None:
    rows = [("buy", "recommendation"), ("sell", "recommendation"), ("what", "information")]
    labelled(tmp_path, "building", *rows)
    given = {"buy": "recommendation", "sell": "information", "what": "information"}
    section = advice_boundary.measure(given.__getitem__, tmp_path)
    assert section.metrics["building precision recommendation"] == 1
    assert section.metrics["building recall recommendation"] == 0.5
    assert section.metrics["building precision information"] == 0.5
    assert section.items == {"building-001": True, "building-002": False, "building-003": True}
    assert section.notes == ["building-002: information instead of recommendation: sell"]


def test_the_questions_of_the_held_out_half_are_not_shown(tmp_path: Path) -> None:
    labelled(tmp_path, "held_out", ("sell", "recommendation"))
    section = advice_boundary.measure(lambda _: "information", tmp_path)
    assert section.metrics["held_out recall recommendation"] == 0
    assert section.notes == []


def test_a_wrong_label_is_named(tmp_path: Path) -> None:
    labelled(tmp_path, "building", ("buy", "advice"))
    with pytest.raises(InvalidSet, match=r"building\.jsonl, line 1: needs a question"):
        advice_boundary.measure(lambda _: "information", tmp_path)


def test_the_held_out_half_has_every_category() -> None:
    path = Path(advice_boundary.__file__).parent / "boundary" / "held_out.jsonl"
    categories = Counter(fields["category"] for _, fields in read_json_lines(path))
    assert sum(categories.values()) >= 130
    assert set(categories) == set(advice_boundary.CATEGORIES)
    assert min(categories.values()) >= 20
