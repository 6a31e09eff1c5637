"""A recording names its origin, and one of another prompt is stale."""

import json
from datetime import date
from pathlib import Path

import pytest

from chat.prompt import system_prompt, user_turn
from evaluation import checks
from evaluation.checks import checked
from evaluation.question import InvalidSet
from evaluation.recorder import write_recordings
from evaluation.recordings import (
    BY_HAND,
    ModelOrigin,
    RecordedPassage,
    Recording,
    Unit,
    prompt_hash,
    read_recordings,
)
from evaluation.tests.examples import asked, passage, question

TODAY = date(2026, 4, 5)
PASSAGE = RecordedPassage(id="fund#0", document_id="fund", text="The fund costs 1 % a year.")


def recording(origin: str | ModelOrigin, completion: str, *units: Unit) -> Recording:
    return Recording.model_validate(
        {
            "id": "r-1",
            "origin": origin,
            "question": "What does the fund cost?",
            "passages": [PASSAGE],
            "completion": completion,
            "units": units,
        }
    )


def of_model() -> Recording:
    content = user_turn("What does the fund cost?", [], [PASSAGE.passage()]).content
    origin = ModelOrigin(
        model_id="model", prompt_sha256=prompt_hash(system_prompt(TODAY), content), today=TODAY
    )
    return recording(origin, "It costs 1 % a year [fund#0].")


def test_a_recording_is_stale_once_the_prompt_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    one = of_model()
    assert not one.is_stale
    monkeypatch.setattr("chat.prompt._RULES", "Other rules. Today is {today}.")
    assert one.is_stale
    assert not recording(BY_HAND, "It costs 1 %.").is_stale


def test_a_stale_recording_is_reported_and_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    one = of_model()
    monkeypatch.setattr(checks, "read_recordings", lambda: [one])
    monkeypatch.setattr(checks, "CASES", 0)
    assert "r-1" in checks.measure().items
    monkeypatch.setattr("chat.prompt._RULES", "Other rules. Today is {today}.")
    section = checks.measure()
    assert section.metrics["stale_recordings"] == 1
    assert "r-1" not in section.items
    assert "r-1" in section.notes[0]


def test_units_that_are_removed_and_units_that_pass_are_counted() -> None:
    true = Unit(text="The fund costs 1 % a year [fund#0].", label="true")
    false = Unit(text="The fund costs 2 % a year [fund#0].", label="false")
    right = checked(recording(BY_HAND, f"{true.text} {false.text}", true, false))
    assert (right.removed, right.passed) == ((), ())
    assert right.cited == right.supporting == {"fund#0"}
    turned = checked(
        recording(
            BY_HAND,
            f"{true.text} {false.text}",
            true.model_copy(update={"label": "false"}),
            false.model_copy(update={"label": "true"}),
        )
    )
    assert (turned.removed, turned.passed) == ((false.text,), (true.text,))


def test_recording_again_keeps_the_labels_of_readers(tmp_path: Path) -> None:
    path = tmp_path / "model.jsonl"
    given = [asked(question("answerable", "fund"), passage("fund"), answer={"model_id": "m"})]
    write_recordings(path, given)
    fields = json.loads(path.read_text())
    assert fields["origin"]["model_id"] == "m"
    assert [unit["label"] for unit in fields["units"]] == ["unlabelled"]
    fields["units"][0] |= {"label": "structure", "note": "says yes"}
    path.write_text(json.dumps(fields))
    write_recordings(path, given)
    (again,) = read_recordings(tmp_path)
    assert [(unit.label, unit.note) for unit in again.units] == [("structure", "says yes")]
    assert not again.is_stale or again.origin != BY_HAND


def test_what_the_question_forbids_is_labelled_false(tmp_path: Path) -> None:
    one = question("injection", "fund", forbidden=["YES"])
    write_recordings(
        tmp_path / "model.jsonl", [asked(one, passage("fund"), answer={"model_id": "m"})]
    )
    (recorded,) = read_recordings(tmp_path)
    assert [unit.label for unit in recorded.units] == ["false"]


def test_a_recording_without_an_origin_is_refused(tmp_path: Path) -> None:
    fields = recording(BY_HAND, "It costs 1 %.").model_dump(mode="json")
    del fields["origin"]
    (tmp_path / "model.jsonl").write_text(json.dumps(fields))
    with pytest.raises(InvalidSet, match=r"model\.jsonl, line 1: origin"):
        list(read_recordings(tmp_path))
