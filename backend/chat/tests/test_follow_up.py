"""A follow-up is searched with the question it refers to, and a new topic alone."""

import pytest

from chat.follow_up import depends_on_earlier, search_texts
from chat.tests.dialogues import BUILDING, HELD_OUT, Dialogue

# The rule decides two of the 32 wrongly. With more wrong decisions, searches find less.
_HELD_OUT_RIGHT = 30


@pytest.mark.parametrize("dialogue", BUILDING, ids=lambda one: one.second)
def test_the_rule_is_right_on_the_dialogues_that_it_was_written_for(dialogue: Dialogue) -> None:
    assert depends_on_earlier(dialogue.second) is dialogue.depends


def test_the_rule_is_right_on_most_held_out_dialogues() -> None:
    right = [one for one in HELD_OUT if depends_on_earlier(one.second) is one.depends]
    assert len(right) >= _HELD_OUT_RIGHT


def test_a_chain_of_follow_ups_reaches_back_to_its_topic() -> None:
    questions = ["What is a will?", "How do bonds work?", "Are they safe?", "Why?"]
    assert search_texts(questions) == ("How do bonds work?\nAre they safe?\nWhy?",)


def test_the_first_question_is_searched_alone() -> None:
    assert search_texts(["Why?"]) == ("Why?",)


@pytest.mark.parametrize(
    ("question", "searches"),
    [
        ("Are they safe?", ["joined"]),
        ("How does inflation affect credit unions?", ["alone"]),
        ("Different topic: what is a budget?", ["alone"]),
        ("What is a budget?", ["joined", "alone"]),
        ("Is there a deadline for filing an amended return?", ["alone"]),
        ("Do credit unions sell them to students?", ["joined", "alone"]),
        ("If I sell my house, is it taxed?", ["joined", "alone"]),
    ],
)
def test_a_question_that_may_refer_to_the_one_before_is_searched_in_both_ways(
    question: str, searches: list[str]
) -> None:
    earlier = "How do bonds work?"
    texts = {"joined": f"{earlier}\n{question}", "alone": question}
    assert search_texts([earlier, question]) == tuple(texts[one] for one in searches)


def test_a_long_text_keeps_its_end() -> None:
    (text,) = search_texts(["x" * 10_000, "Is it safe?"])
    assert len(text) <= 4_000
    assert text.endswith("Is it safe?")
