"""The check of answers makes no more errors than when it was last measured.

The aim is that nothing false passes and at most 3 % of true units are removed. The limits below are
the measured figures, also in completions/README.md: lower them when the check improves, never raise
them.
"""

import pytest

from evaluation.checker import adversarial, honest, passed_of, removed_of

MOST_FALSE_COMPLETIONS = 0
MOST_TRUE_UNITS_REMOVED = 81


def test_no_more_false_completions_pass() -> None:
    measured = adversarial()
    assert measured.total == 1000
    assert len(measured.wrong) <= MOST_FALSE_COMPLETIONS, str(measured)


def test_no_more_true_units_are_removed() -> None:
    measured = honest()
    assert measured.total > 600
    assert len(measured.wrong) <= MOST_TRUE_UNITS_REMOVED, str(measured)


@pytest.mark.parametrize(("name", "most"), [("development", 14), ("held_out", 11)])
def test_no_more_true_units_of_other_documents_are_removed(name: str, most: int) -> None:
    measured = removed_of(name)
    assert measured.total > 50
    assert len(measured.wrong) <= most, len(measured.wrong)


@pytest.mark.parametrize(
    ("name", "kind", "most"),
    [
        ("development", "figure", 7),
        ("development", "statement", 7),
        ("held_out", "figure", 1),
        ("held_out", "statement", 6),
    ],
)
def test_no_more_false_units_of_other_documents_pass(name: str, kind: str, most: int) -> None:
    measured = passed_of(name, kind)
    assert measured.total > 20
    assert len(measured.wrong) <= most, len(measured.wrong)
