"""Flips are found in pairs, and judged by McNemar's exact test."""

import pytest

from evaluation.comparison import Flips, flips, lines
from evaluation.gate import Gate
from evaluation.report import Report
from evaluation.section import Section


def report(items: dict[str, bool], **metrics: float) -> Report:
    return Report([Section("retrieval", metrics, items)], Gate({}))


def test_questions_of_both_evaluations_are_paired() -> None:
    before = report({"a": True, "b": False, "c": True, "gone": True})
    after = report({"a": False, "b": True, "c": True, "new": False})
    (one,) = flips(before, after)
    assert (one.fixed, one.broken, one.pairs) == (("b",), ("a",), 3)


@pytest.mark.parametrize(
    ("fixed", "broken", "p"),
    [(0, 0, 1.0), (1, 1, 1.0), (0, 5, 0.0625), (1, 9, 22 / 1024), (6, 0, 2 / 64)],
)
def test_the_probability_is_exact(fixed: int, broken: int, p: float) -> None:
    one = Flips("x", tuple("f" * fixed), tuple("b" * broken), 100)
    assert one.p_value == pytest.approx(p)


def test_changed_values_and_flips_are_listed() -> None:
    before = report({"a": True, "b": True}, recall=1.0, mrr=0.5)
    text = "\n".join(lines(before, report({"a": True, "b": False}, recall=0.5, mrr=0.5), "main"))
    assert "compared with main" in text
    assert "retrieval recall" in text
    assert "retrieval mrr" not in text
    assert "broken  b" in text
