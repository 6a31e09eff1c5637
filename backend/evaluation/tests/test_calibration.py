"""The threshold loses at most one answerable question in a hundred."""

import pytest

from evaluation.calibration import calibrate
from evaluation.services import Asked
from evaluation.tests.examples import MODEL, asked, passage, question


def scored(kind: str, *scores: float) -> list[Asked]:
    places = ["fund"] if kind == "answerable" else []
    return [asked(question(kind, *places), passage("fund", score=score)) for score in scores]


def test_one_of_a_hundred_may_be_lost() -> None:
    answerable = scored("answerable", *(0.3 + number / 1000 for number in range(100)))
    found = calibrate([*answerable, *scored("unanswerable", 0.2, 0.3, 0.31)])
    assert (found.model, found.threshold, found.lost) == (MODEL, 0.301, 1)
    assert (found.let_through, found.unanswerable) == (1, 3)


def test_of_few_questions_none_is_lost() -> None:
    found = calibrate(scored("answerable", 0.40009, 0.5))
    assert (found.threshold, found.lost) == (0.4, 0)


def test_a_set_without_answers_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match="no question of the set has an answer"):
        calibrate(scored("unanswerable", 0.2))
