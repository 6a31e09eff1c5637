"""The checker of answers gets no worse than it was when last measured.

The aims are no false completion and 3 % of true units. The limits below are the figures of today,
which the README of the sets states: lower them when the checker improves, never raise them.
"""

from evaluation.checker import adversarial, honest

MOST_FALSE_COMPLETIONS = 0
MOST_TRUE_UNITS_REMOVED = 97


def test_no_more_false_completions_pass() -> None:
    measured = adversarial()
    assert measured.total == 1000
    assert len(measured.wrong) <= MOST_FALSE_COMPLETIONS, str(measured)


def test_no_more_true_units_are_removed() -> None:
    measured = honest()
    assert measured.total > 600
    assert len(measured.wrong) <= MOST_TRUE_UNITS_REMOVED, str(measured)
