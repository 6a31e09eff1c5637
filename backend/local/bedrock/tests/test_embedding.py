"""Vectors by feature hashing."""

import math
import subprocess
import sys

import pytest

from local.bedrock.embedding import embed, stem, words
from local.compute.processes import BACKEND
from local.demo.documents import documents


def similarity(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("dimensions", [256, 512, 1024])
def test_a_vector_has_the_asked_dimensions_and_length_one(dimensions: int) -> None:
    vector = embed("An emergency fund", dimensions=dimensions)
    assert len(vector) == dimensions
    assert math.hypot(*vector) == pytest.approx(1)


@pytest.mark.parametrize("text", ["the of and", "?", "\u4f60\u597d", " "])
def test_a_text_without_words_has_a_vector_too(text: str) -> None:
    assert math.hypot(*embed(text)) == pytest.approx(1)


def test_the_same_text_has_the_same_vector_in_another_process() -> None:
    program = (
        "from local.bedrock.embedding import embed;"
        " print(sum(embed('saving for a rainy day')[:512]))"
    )
    environment = {"PYTHONPATH": str(BACKEND), "PYTHONHASHSEED": "77"}
    printed = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True
    ).stdout
    assert float(printed) == sum(embed("saving for a rainy day")[:512])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("saving", "savings"),
        ("invest", "investing"),
        ("planned", "planning"),
        ("fund", "funds"),
        ("policy", "policies"),
        ("refinance", "refinancing"),
    ],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_will_is_a_word_only_where_it_is_a_noun() -> None:
    assert words("What is a will?") == ["will"]
    assert words("Will rates rise? And will my will last?") == ["rates", "rise", "will", "last"]


def test_a_word_that_is_repeated_weighs_more_than_one_that_is_not() -> None:
    asked = embed("inflation")
    repeated = "Inflation lowers what cash buys. Inflation is measured. Inflation varies."
    named_once = "Inflation lowers what cash buys. Prices are measured. Rates vary."
    assert similarity(asked, embed(repeated)) > 1.5 * similarity(asked, embed(named_once))


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("How large should an emergency fund be?", "emergency-fund"),
        ("What is the 50/30/20 budget?", "budget-50-30-20"),
        ("Should I choose a Roth or a traditional account?", "roth-vs-traditional"),
        ("When does it pay to refinance my mortgage?", "mortgage-refinance"),
        ("How does the wash sale rule limit harvesting losses?", "tax-loss-harvesting"),
        ("What makes a good credit score?", "credit-score"),
        ("Is whole life insurance better than term?", "term-life-insurance"),
        ("How do expense ratios affect what I earn?", "expense-ratio"),
        ("How often should I rebalance?", "rebalancing"),
        ("What happens to bond prices when interest rates rise?", "bonds"),
        ("How much can I withdraw each year in retirement?", "withdrawal-rate"),
        ("Who is the executor that a will names?", "estate-planning"),
    ],
)
def test_a_question_is_nearest_to_the_document_that_answers_it(
    question: str, document: str
) -> None:
    asked = embed(question)
    scores = {
        item["id"]: similarity(asked, embed(f"{item['title']}\n{item['text']}"))
        for item in documents()
    }
    best = max(scores, key=lambda name: scores[name])
    assert best == document
    assert scores[best] > 0.12


def test_a_question_about_something_else_is_near_to_nothing() -> None:
    asked = embed("Which colour has the sky above the planet Mars?")
    scores = [similarity(asked, embed(item["text"])) for item in documents()]
    assert max(scores) < 0.12
