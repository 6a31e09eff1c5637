"""Measures retrieval from the sample documents with the local embedding."""

from collections.abc import Callable, Sequence

import pytest

from chat.follow_up import search_texts
from chat.tests.dialogues import BUILDING, HELD_OUT, Dialogue
from local.bedrock.embedding import embed
from local.demo.documents import QUESTION, documents
from local.overlay import RELEVANCE_THRESHOLD

_TOP = 5
_TOLERANCE = 0.03
_OFF_TOPIC = (
    "Which colour has the sky above the planet Mars?",
    "How do I bake sourdough bread without a starter?",
    "Who won the football world cup in 1998?",
    "What is the boiling point of water on a mountain?",
    "How often should I water a cactus?",
    "Why do cats purr?",
    "How does photosynthesis work?",
    "Which museum shows the Mona Lisa?",
    "How do I change a flat bicycle tyre?",
    "What are the symptoms of the flu?",
    "Can you write a poem about autumn?",
    "How long does it take to boil an egg?",
    "Who wrote Pride and Prejudice?",
    "How do I reverse a list in Python?",
    "What is the capital of Mongolia?",
    "When did the Roman empire end?",
    "Why is the sea salty?",
    "Which vitamins are in broccoli?",
    "How do airplanes stay in the air?",
    "What is the best exercise for a sore back?",
    "How do I get a red wine stain out of a shirt?",
    "Does my dog understand what I say?",
    "Which languages are spoken in Switzerland?",
    "How many moons does Jupiter have?",
    "Should I learn the guitar or the piano first?",
    "How do I train for a marathon?",
    "What time is it in Tokyo?",
    "How do vaccines protect children?",
    "Which film won the most Oscars?",
    "How should I plant tomatoes on a balcony?",
)
# Unrelated texts often share a hash, so no threshold stops them all.
_OFF_TOPIC_LET_THROUGH = 11


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
    texts_of: Callable[[Dialogue], Sequence[str]],
) -> float:
    found = 0
    for dialogue in dialogues:
        searches = [_scores(vectors, text) for text in texts_of(dialogue)]
        scores = {name: max(one[name] for one in searches) for name in vectors}
        found += dialogue.document in sorted(scores, key=lambda name: -scores[name])[:_TOP]
    return found / len(dialogues)


@pytest.mark.parametrize("depends", [True, False], ids=["follow-up", "change of topic"])
def test_recall_is_close_to_that_of_the_better_baseline(
    vectors: dict[str, list[float]], depends: bool
) -> None:
    dialogues = [one for one in HELD_OUT if one.depends is depends]
    joined = _recall(vectors, dialogues, lambda one: [f"{one.first}\n{one.second}"])
    last = _recall(vectors, dialogues, lambda one: [one.second])
    ours = _recall(vectors, dialogues, lambda one: search_texts([one.first, one.second]))
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


def test_the_relevance_threshold_stops_most_questions_about_something_else(
    vectors: dict[str, list[float]],
) -> None:
    through = [
        question
        for question in _OFF_TOPIC
        if max(_scores(vectors, question).values()) >= float(RELEVANCE_THRESHOLD)
    ]
    assert len(through) <= _OFF_TOPIC_LET_THROUGH, through


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("What is inflation?", "inflation"),
        ("How does inflation affect my cash?", "inflation"),
        ("What is a will?", "estate-planning"),
        ("What is a bond?", "bonds"),
        ("What is a Roth IRA?", "roth-vs-traditional"),
    ],
)
def test_a_plain_question_is_relevant_and_finds_the_right_document_first(
    vectors: dict[str, list[float]], question: str, document: str
) -> None:
    scores = _scores(vectors, question)
    assert max(scores, key=lambda name: scores[name]) == document
    assert scores[document] >= float(RELEVANCE_THRESHOLD)
