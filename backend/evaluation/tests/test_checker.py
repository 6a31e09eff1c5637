"""The check of answers makes no more errors than when it was last measured.

The aim is that no false completion passes and at most 3 % of true units are removed. The limits
below are the measured figures, also in completions/README.md: lower them when the check improves,
never raise them.
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
