"""Measures retrieval from the sample documents with the local embedding."""

from collections.abc import Callable

import pytest

from chat.follow_up import search_text
from chat.tests.dialogues import BUILDING, HELD_OUT, Dialogue
from local.bedrock.embedding import embed
from local.demo.documents import QUESTION, documents
from local.overlay import RELEVANCE_THRESHOLD

_TOP = 5
_TOLERANCE = 0.03


@pytest.fixture(scope="module")
def vectors() -> dict[str, list[float]]:
    # Each sample document is one passage, embedded with its title as s3vector does.
    return {one["id"]: embed(f"{one['title']}\n{one['text']}") for one in documents()}


def _scores(vectors: dict[str, list[float]], text: str) -> dict[str, float]:
    asked = embed(text)
    return {
        name: sum(a * b for a, b in zip(asked, vector, strict=True))
        for name, vector in vectors.items()
    }


def _recall(
    vectors: dict[str, list[float]],
    dialogues: list[Dialogue],
    text_of: Callable[[Dialogue], str],
) -> float:
    found = 0
    for dialogue in dialogues:
        scores = _scores(vectors, text_of(dialogue))
        found += dialogue.document in sorted(scores, key=lambda name: -scores[name])[:_TOP]
    return found / len(dialogues)


@pytest.mark.parametrize("depends", [True, False], ids=["follow-up", "change of topic"])
def test_recall_is_close_to_that_of_the_better_baseline(
    vectors: dict[str, list[float]], depends: bool
) -> None:
    dialogues = [one for one in HELD_OUT if one.depends is depends]
    joined = _recall(vectors, dialogues, lambda one: f"{one.first}\n{one.second}")
    last = _recall(vectors, dialogues, lambda one: one.second)
    ours = _recall(vectors, dialogues, lambda one: search_text([one.first, one.second]))
    assert ours >= max(joined, last) - _TOLERANCE, (joined, last, ours)


def test_the_relevance_threshold_loses_at_most_one_answerable_question_in_a_hundred(
    vectors: dict[str, list[float]],
) -> None:
    every = (*BUILDING, *HELD_OUT)
    questions = {
        QUESTION,
        *(one.first for one in every),
        *(one.second for one in every if not one.depends),
    }
    lost = [
        question
        for question in questions
        if max(_scores(vectors, question).values()) < float(RELEVANCE_THRESHOLD)
    ]
    assert len(lost) <= len(questions) / 100, lost
