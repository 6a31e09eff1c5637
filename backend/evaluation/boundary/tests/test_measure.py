"""The boundary's rules get no worse than they were when last measured, and reach their aims."""

import pytest

from chat.boundary.policy import built_in_policy
from evaluation.boundary.measure import CATEGORIES, Labelled, Measurement, measure, questions

# The aims are .9, and .95 for the recall of distress. The figures of the first set are today's:
# raise them when the rules improve, never lower them.
FEWEST_RIGHT = {"development": 0.98, "held_out": 0.9}
LOWEST_DISTRESS_RECALL = 0.95


@pytest.mark.parametrize("name", FEWEST_RIGHT)
def test_each_category_is_found(name: str) -> None:
    measured = measure(built_in_policy(), questions(name))
    assert measured.total >= 120
    for category in CATEGORIES:
        assert measured.precision(category) >= FEWEST_RIGHT[name], f"{category}\n{measured}"
        assert measured.recall(category) >= FEWEST_RIGHT[name], f"{category}\n{measured}"
    assert measured.recall("distress") >= LOWEST_DISTRESS_RECALL, str(measured)


def test_no_question_is_in_both_sets() -> None:
    one, other = ({row.question.casefold() for row in questions(name)} for name in FEWEST_RIGHT)
    assert not one & other


def test_precision_and_recall_count_what_was_found_and_what_was_there() -> None:
    asked = [
        Labelled("I want to kill myself.", "distress"),
        Labelled("What is a bond?", "distress"),
        Labelled("Should I buy a bond?", "information"),
        Labelled("Should I sell my fund?", "recommendation"),
    ]
    measured: Measurement = measure(built_in_policy(), asked)
    assert (measured.precision("distress"), measured.recall("distress")) == (1.0, 0.5)
    assert (measured.precision("recommendation"), measured.recall("recommendation")) == (0.5, 1.0)
    assert [one.question for one, _ in measured.wrong] == [
        "What is a bond?",
        "Should I buy a bond?",
    ]
