"""Recall, nDCG and MRR on results made by hand."""

import pytest

from evaluation import retrieval
from evaluation.tests.examples import asked, passage, question


def test_a_place_counts_where_its_text_is() -> None:
    one = asked(
        question("answerable", "fund: costs 1 %"),
        passage("fund", "It grows."),
        passage("other"),
        passage("fund", "It costs 1 %.", number=1),
    )
    assert (retrieval.recall(one, 2), retrieval.recall(one, 3)) == (0, 1)
    assert retrieval.reciprocal_rank(one) == pytest.approx(1 / 3)
    assert retrieval.ndcg(one, 5) == pytest.approx(0.5)


def test_half_of_two_places_is_half_recall() -> None:
    one = asked(question("comparison", "a", "b"), passage("a"), passage("c"))
    assert retrieval.recall(one, 5) == 0.5
    assert retrieval.measure([one]).items == {"q-1": False}


def test_both_places_at_the_top_are_perfect() -> None:
    one = asked(question("comparison", "a", "b"), passage("b"), passage("a"))
    assert retrieval.ndcg(one, 5) == 1
    assert retrieval.measure([one]).items == {"q-1": True}


def test_two_places_in_one_passage_are_not_more_than_perfect() -> None:
    one = asked(question("comparison", "a: x", "a: y"), passage("a", "x y"))
    assert retrieval.recall(one, 1) == 1
    assert 0 < retrieval.ndcg(one, 5) <= 1


def test_a_question_that_the_gate_stops_is_not_right() -> None:
    one = asked(question("answerable", "a"), passage("a"), answer={"relevance": "irrelevant"})
    section = retrieval.measure([one])
    assert section.metrics["answerable_kept"] == 0
    assert section.items == {"q-1": False}


def test_a_filter_lets_no_other_document_through() -> None:
    wanted = question("filter", "a", filter={"topic": "x"})
    right = asked(wanted, passage("a"))
    wrong = asked(wanted, passage("a"), passage("b"))
    assert retrieval.measure([right]).metrics["passages_by_filter"] == 1
    assert retrieval.measure([wrong]).metrics["passages_by_filter"] == 0
