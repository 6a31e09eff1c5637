"""What was not measured does not pass."""

import json
from pathlib import Path

import pytest

from evaluation.gate import OWN_GATE, Gate, read_gate
from evaluation.question import InvalidSet
from evaluation.report import Report
from evaluation.section import Section

GATE = Gate.model_validate({"checks": {"recall": {"at_least": 0.9}, "stale": {"at_most": 0}}})


@pytest.mark.parametrize(
    ("section", "failures"),
    [
        (Section("checks", {"recall": 0.9, "stale": 0}), []),
        (Section("checks", {"recall": 0.89, "stale": 1}), ["recall is 0.89", "stale is 1"]),
        (Section("checks", {"recall": 0.9}), ["stale was not measured"]),
        (Section("checks", unavailable="no model"), ["no model"]),
        (Section("other"), ["checks: was not measured"]),
    ],
)
def test_a_bound_that_is_not_kept_or_not_measured_fails(
    section: Section, failures: list[str]
) -> None:
    found = GATE.failures([section])
    assert len(found) == len(failures)
    for sentence, part in zip(found, failures, strict=True):
        assert part in sentence


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ('{"checks": {"recall": {}}}', "give at_least, at_most or both"),
        ('{"checks": {"recall": {"min": 1}}}', "checks.recall"),
    ],
)
def test_a_wrong_gate_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "gate.json"
    path.write_text(text)
    with pytest.raises(InvalidSet, match=message):
        read_gate(path)


def test_the_own_gate_bounds_every_section() -> None:
    sections = ["retrieval", "passages", "prompts", "answers", "cost", "checks", "boundary"]
    assert list(read_gate(OWN_GATE).root) == sections


def test_the_columns_of_the_table_have_the_same_width() -> None:
    section = Section("checks", {"recall": 0.5, "a long name of a metric": 1234.0, "stale": 0})
    lines = list(Report([section, Section("other", {"x": 1})], GATE).lines())
    rows = [line for line in lines if line.startswith("  ")]
    assert {len(row[:50]) for row in rows} == {50}
    assert all(row[49] != " " and row[50:52].strip() == "" for row in rows)
    assert lines[-1] == "The gate fails."


def test_a_report_is_the_same_after_json() -> None:
    report = Report([Section("checks", {"recall": 1.0}, {"a": True}, ["note"])], GATE)
    again = Report.from_json(json.loads(json.dumps(report.as_json())))
    assert list(again.lines()) == list(report.lines())
