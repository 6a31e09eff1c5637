"""Phrases are compared without endings, and their weights are added within three sentences."""

import pytest

from chat.boundary.policy import Refused, Weights
from chat.boundary.wording import Wording, phrases


def wording(**row: tuple[int, int]) -> Wording:
    start: dict[Refused, int] = {"distress": -25, "fraud": -15}
    return Wording(Weights(start=start, phrases={one.replace("_", " "): row[one] for one in row}))


def test_phrases_have_one_to_three_words_without_endings_and_digits() -> None:
    assert phrases("repaid 40 loans?") == {
        "repaid",
        "@",
        "loan",
        "?",
        "repaid @",
        "@ loan",
        "loan ?",
        "repaid @ loan",
        "@ loan ?",
    }


@pytest.mark.parametrize("word", ["gamble", "gambled", "gambles", "gambling"])
def test_forms_of_a_word_are_one_phrase(word: str) -> None:
    assert phrases(word) == phrases("gamble")


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("i cry.", "distress"),
        ("cry, cry, cry?", "distress"),
        ("i cry and laugh.", None),
        ("a pin and i cry.", "fraud"),
        ("one. two. three. i cry.", "distress"),
        ("i cry. one. two. laugh.", "distress"),
        ("what is a bond?", None),
        ("", None),
    ],
)
def test_the_highest_score_of_three_sentences_decides(text: str, category: str | None) -> None:
    weights = wording(cry=(30, 0), laugh=(-30, 0), pin=(0, 60))
    assert weights.category(text) == category


def test_a_score_does_not_grow_with_the_length_of_a_question() -> None:
    weights = wording(cry=(30, 0), what=(0, 0), then=(0, 0))
    assert weights.category("cry") == "distress"
    assert weights.category("what then cry") is None


def test_a_policy_without_weights_finds_nothing() -> None:
    assert Wording(Weights()).category("i cry.") is None
