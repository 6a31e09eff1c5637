"""The planted regressions fit the code, and a planted one fails the gate."""

from collections import Counter
from pathlib import Path

import pytest

from evaluation.regressions import REGRESSIONS, Regression, failures_of, planted, source
from evaluation.tests.small_set import small_set


def test_there_are_regressions_of_every_kind() -> None:
    kinds = Counter(one.kind for one in REGRESSIONS)
    assert sum(kinds.values()) >= 20
    assert kinds.keys() >= {
        *("filter", "ranking", "splitter", "parser", "number rules", "escaping", "budget"),
        "boundary rule",
    }


@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda one: one.name)
def test_a_regression_fits_the_code(regression: Regression) -> None:
    assert planted(regression, source(regression)) != source(regression)


def test_a_regression_that_fits_nowhere_is_named() -> None:
    with pytest.raises(ValueError, match="adjust the old text"):
        planted(REGRESSIONS[0], "")


def test_a_planted_regression_fails_the_gate(tmp_path: Path) -> None:
    regression = next(one for one in REGRESSIONS if one.name == "titles are not escaped")
    failures = failures_of(regression, ["--set", str(small_set(tmp_path))])
    assert failures == ["prompts: escaped is 0, and must be >= 1"]
