"""What is said of repeated measurements."""

from functools import partial

import pytest

from benchmarks.series import Comparison, Series, interleave, together


def comparison(**targets: float) -> Comparison:
    series = {"ours": Series((1.0, 2.0, 3.0)), "peer": Series((4.0, 4.0, 4.0))}
    return Comparison("A figure", "ms", "ours", series, targets)


def test_candidates_take_turns_and_the_first_round_is_not_counted() -> None:
    taken: dict[str, int] = {"a": 0, "b": 10}

    def taking(name: str) -> float:
        taken[name] += 1
        return taken[name]

    series = interleave({name: partial(taking, name) for name in taken}, 2)
    assert taken == {"a": 3, "b": 13}
    assert list(series) == ["a", "b"]
    assert series["a"].values == (2, 3)
    assert series["b"].values == (12, 13)


def test_no_candidate_always_follows_the_same_one() -> None:
    taken: list[str] = []

    def taking(name: str) -> float:
        taken.append(name)
        return 0.0

    interleave({name: partial(taking, name) for name in ("a", "b", "c")}, 99)
    orders = {"".join(taken[start : start + 3]) for start in range(0, 300, 3)}
    assert orders == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_what_is_measured_side_by_side_leaves_out_its_first_round_too() -> None:
    rounds = iter([{"a": 9.0, "b": 9.0}, {"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}])
    series = together(lambda: next(rounds), 2)
    assert series["a"].values == (1, 3)
    assert series["b"].values == (2, 4)


def test_the_ratio_is_the_median_of_the_rounds() -> None:
    assert comparison().ratio("peer") == pytest.approx(0.5)


def test_a_missed_target_is_named_and_a_met_one_is_not() -> None:
    assert list(comparison(peer=0.6).misses()) == []
    (miss,) = comparison(peer=0.4).misses()
    assert "ours / peer = 0.50, target 0.40" in miss


def test_a_missed_limit_is_named() -> None:
    one = Comparison("A size", "MB", "ours", {"ours": Series((13.0,))}, limit=12)
    assert list(one.misses()) == ["A size: 13.0 MB, target 12.0"]
