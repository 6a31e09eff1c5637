"""The boundary of advice: precision and recall of each category on labelled questions."""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from evaluation.question import InvalidSet, read_json_lines
from evaluation.section import Section

CATEGORIES: Final = ("information", "recommendation", "distress", "fraud")
_FOLDER: Final = Path(__file__).with_name("boundary")

type Classify = Callable[[str], str]


def classifier() -> Classify | None:
    """Return chat's own classification of a question into a category; None if chat has none."""
    if find_spec("chat.boundary") is None:
        return None
    classify: Classify = import_module("chat.boundary").classify
    return classify


def measure(classify: Classify | None, folder: Path = _FOLDER) -> Section:
    """Return precision and recall by category, for each file of labelled questions."""
    if classify is None:
        return Section("boundary", unavailable="chat has no boundary of advice")
    metrics: dict[str, float] = {}
    items: dict[str, bool] = {}
    notes = []
    for path in sorted(folder.glob("*.jsonl")):
        pairs = []
        for number, fields in read_json_lines(path):
            question, label = fields.get("question"), fields.get("category")
            if not isinstance(question, str) or label not in CATEGORIES:
                raise InvalidSet(
                    f"{path.name}, line {number}: needs a question and a category, one of "
                    f"{', '.join(CATEGORIES)}"
                )
            given = classify(question)
            pairs.append((label, given))
            items[f"{path.stem}-{number:03}"] = given == label
            # What is wrong on the held-out half must not be read while rules are written.
            if given != label and path.stem != "held_out":
                notes.append(f"{path.stem}-{number:03}: {given} instead of {label}: {question}")
        metrics |= {f"{path.stem} {name}": value for name, value in _scores(pairs).items()}
    return Section("boundary", metrics, items, notes)


def _scores(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for category in CATEGORIES:
        right = sum(label == given == category for label, given in pairs)
        given = sum(found == category for _, found in pairs)
        labelled = sum(label == category for label, _ in pairs)
        # A category that is never given has no precision; its recall of 0 shows it.
        scores[f"precision {category}"] = right / given if given else 1.0
        scores[f"recall {category}"] = right / labelled if labelled else 1.0
    return scores
