"""Documents as the store has them: whether parser and splitter kept the whole text."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from evaluation.question import single_spaced
from evaluation.question_set import QuestionSet, missing_places
from evaluation.section import Section, share

_REPEATED: Final = re.compile(r"#|.*\||\s*$")

LONGEST: Final = 1_200
"""The most characters of a passage: the longest prompt that the gate allows has room for five."""


def measure(found: QuestionSet, stored: Mapping[str, Sequence[str]]) -> Section:
    """Return whether the passages have the text of their documents, and the documents that of the
    labels.

    Args:
        found: The set.
        stored: The texts of the passages of each document.
    """
    whole = {one.id: _has_all(one.text, stored[one.id]) for one in found.documents}
    short = {name: all(len(one) <= LONGEST for one in texts) for name, texts in stored.items()}
    lengths = [len(one) for texts in stored.values() for one in texts]
    missing = list(missing_places(found))
    labels = sum(len(one.places) for one in found.questions)
    metrics = {
        "documents_whole": share(list(whole.values())),
        "labels_found": 1 - len(missing) / max(1, labels),
        "longest_passage": float(max(lengths, default=0)),
        "passages": float(len(lengths)),
    }
    items = {name: whole[name] and short[name] for name in whole}
    notes = [
        f"{name}: text is missing, or a passage is too long" for name in items if not items[name]
    ]
    return Section("passages", metrics, items, [*missing, *notes])


def _has_all(text: str, passages: Sequence[str]) -> bool:
    """Whether the passages, which may overlap, have all of a text in its order.

    A passage may begin with headings and the header of a table, repeated from further above.
    """
    rest = single_spaced(text)
    covered = 0
    for passage in passages:
        piece = single_spaced(passage)
        lines = passage.split("\n")
        while (start := rest.find(piece)) < 0 and lines and _REPEATED.match(lines[0]):
            piece = single_spaced("\n".join(lines := lines[1:]))
        if start < 0 or rest[covered:start].strip():
            return False
        covered = max(covered, start + len(piece))
    return not rest[covered:].strip()
