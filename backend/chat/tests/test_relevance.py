"""The gate compares the best cosine with the threshold of the embedding model."""

import pytest

from chat import relevance
from chat.relevance import RelevanceGate
from chat.retrieval import Retrieved
from chat.tests.fakes import passage


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((), None), ((0.1, 0.3), "relevant"), ((0.2,), "relevant"), ((0.1, 0.19), "irrelevant")],
)
def test_the_best_passage_decides(scores: tuple[float, ...], expected: str | None) -> None:
    found = Retrieved(tuple(passage(number, score=one) for number, one in enumerate(scores)))
    assert RelevanceGate(0.2).judge(found.closest, None) == expected


def test_a_fused_score_does_not_count() -> None:
    found = Retrieved((passage(0, score=0.1, fused=1.0),))
    assert RelevanceGate(0.2).judge(found.closest, None) == "irrelevant"


def test_a_closer_passage_that_is_not_listed_counts() -> None:
    """Words may rank others before it."""
    found = Retrieved((passage(0, score=0.1, fused=1.0),), best_score=0.3)
    assert RelevanceGate(0.2).judge(found.closest, None) == "relevant"


def test_a_model_without_a_threshold_is_uncalibrated() -> None:
    assert RelevanceGate().judge(-1.0, "unknown") == "uncalibrated"


def test_a_threshold_belongs_to_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(relevance.CALIBRATED, "one", 0.5)
    assert RelevanceGate().judge(0.4, "one") == "irrelevant"
    assert RelevanceGate().judge(0.4, "two") == "uncalibrated"
    assert RelevanceGate(0.3).judge(0.4, "one") == "relevant"
