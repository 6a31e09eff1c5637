"""A set of two documents, for tests that run the whole evaluation."""

import json
from pathlib import Path
from typing import Any

from evaluation.make_set import make_set

GATE: dict[str, Any] = {
    "retrieval": {"recall@5": {"at_least": 1}, "passages_by_filter": {"at_least": 1}},
    "prompts": {"escaped": {"at_least": 1}},
}


def small_set(folder: Path) -> Path:
    """Make the set below a folder and return its own folder."""
    documents = folder / "own"
    documents.mkdir()
    (documents / "tea.md").write_text(
        '---\ntopic: "funds"\ntitle: The "Tea" fund\n---\nTea costs 1 %.'
    )
    (documents / "rice.txt").write_text("The rice fund costs 2 per cent a year.")
    questions = [
        {"kind": "answerable", "question": "What does the rice fund cost?",
         "places": [{"document": "rice", "contains": "2 per cent"}]},
        {"kind": "filter", "question": "What does it cost?", "filter": {"topic": '"funds"'},
         "places": [{"document": "tea"}]},
        {"kind": "unanswerable", "question": "Who invented the telescope?"},
    ]  # fmt: skip
    path = folder / "questions.jsonl"
    path.write_text("\n".join(map(json.dumps, questions)))
    make_set(documents, path, folder / "set")
    (folder / "set" / "gate.json").write_text(json.dumps(GATE))
    return folder / "set"
