"""The boundary's rules get no worse than they were when last measured.

The aims on the held-out questions are .9, and .95 for the recall of distress. The limits below are
today's figures: raise them when the rules improve, never lower them.
"""

import pytest

from chat.boundary.policy import built_in_policy
from evaluation.boundary.measure import (
    CATEGORIES,
    SETS,
    Labelled,
    Measurement,
    help_lines_to_check,
    measure,
    questions,
)

# Precision and recall of information, recommendation, distress and fraud.
LIMITS = {
    "development": [(0.99, 0.99), (0.99, 0.99), (0.99, 0.99), (0.99, 0.99)],
    "held_out": [(0.966, 0.95), (0.975, 0.975), (0.956, 0.956), (0.958, 1.0)],
    "blind": [(1.0, 0.902), (0.909, 0.961), (0.869, 1.0), (0.947, 0.9)],
}


@pytest.mark.parametrize("name", SETS)
def test_each_category_is_found_as_well_as_when_last_measured(name: str) -> None:
    measured = measure(built_in_policy(), questions(name))
    assert measured.total >= 120
    for category, (precision, recall) in zip(CATEGORIES, LIMITS[name], strict=True):
        assert measured.precision(category) >= precision, f"{category}\n{measured}"
        assert measured.recall(category) >= recall, f"{category}\n{measured}"


def test_a_measurement_does_not_show_its_questions() -> None:
    measured = measure(built_in_policy(), [Labelled("What is a bond?", "distress")])
    assert "bond" not in f"{measured!r}{measured}"


def test_no_question_is_in_two_sets() -> None:
    sets = [{row.question.casefold() for row in questions(name)} for name in SETS]
    assert len(set().union(*sets)) == sum(map(len, sets))


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


def test_every_help_line_is_listed_with_its_source() -> None:
    policy = built_in_policy()
    listed = "\n".join(help_lines_to_check(policy))
    lines = [
        one for categories in policy.help.values() for each in categories.values() for one in each
    ]
    assert lines
    assert all(f"{one.text} <{one.source}>" in listed for one in lines)
