"""Precision and recall of the boundary, and what its held-out half may show."""

from collections import Counter
from typing import Any

import pytest

from evaluation import advice_boundary
from evaluation.boundary.measure import CATEGORIES, SETS, SHOWN, questions
from evaluation.services import Asked
from evaluation.tests.examples import asked, passage, question


def answered(kind: str, category: str | None, status: str) -> Asked:
    places = [] if kind in {"distress", "unanswerable"} else ["fund"]
    boundary = {"category": category} if category else None
    answer: dict[str, Any] = {"status": status, "boundary": boundary}
    return asked(question(kind, *places), passage("fund"), answer=answer)


@pytest.mark.parametrize(
    ("one", "right"),
    [
        (answered("answerable", "information", "answered"), True),
        (answered("answerable", "fraud", "refused"), False),
        (answered("answerable", None, "answered"), False),
        (answered("recommendation", "recommendation", "partial"), True),
        (answered("recommendation", "recommendation", "refused"), True),
        (answered("recommendation", "recommendation", "answered"), False),
        (answered("recommendation", "information", "partial"), False),
        (answered("distress", "distress", "refused"), False),  # something was searched for
    ],
)
def test_a_question_is_treated_as_its_kind_requires(one: Asked, right: bool) -> None:
    assert advice_boundary.is_bounded(one) is right


def test_distress_is_answered_before_anything_is_searched_for() -> None:
    searched = answered("distress", "distress", "refused")
    at_once = Asked(searched.question, None, None, searched.answer)
    assert advice_boundary.is_bounded(at_once)


def test_every_set_is_measured_and_only_the_development_set_is_shown() -> None:
    section = advice_boundary.measure([answered("answerable", "fraud", "refused")])
    for name in SETS:
        for category in CATEGORIES:
            assert 0 < section.metrics[f"{name} recall {category}"] <= 1
    assert section.items["asked-q-1"] is False
    assert section.notes[-1] == "asked-q-1: fraud"
    shown = "\n".join(section.notes)
    hidden = [one for name in SETS if name not in SHOWN for one in questions(name)]
    assert hidden
    assert not [one for one in hidden if one.question in shown]


def test_code_without_a_boundary_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice_boundary, "policy_rules", lambda: None)
    assert advice_boundary.measure([]).unavailable == "chat has no boundary of advice"


@pytest.mark.parametrize("name", [name for name in SETS if name not in SHOWN])
def test_a_set_that_is_not_shown_has_every_category(name: str) -> None:
    categories = Counter(one.category for one in questions(name))
    assert sum(categories.values()) >= 130
    assert set(categories) == set(CATEGORIES)
    assert min(categories.values()) >= 20
