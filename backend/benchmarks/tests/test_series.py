"""The order of the measurements, their ratios, and the interval of the median."""

import random
from collections.abc import Iterator, Mapping
from functools import partial

import pytest

from benchmarks.series import Series, interleave


def counting(start: float) -> Iterator[float]:
    while True:
        start += 1
        yield start


def test_candidates_take_turns_and_the_first_round_is_not_counted() -> None:
    values = {"a": counting(0), "b": counting(10)}
    taken = interleave(
        {name: partial(lambda it: {"x": next(it)}, values[name]) for name in values}, 2
    )
    assert taken == {"x": {"a": Series((2, 3)), "b": Series((12, 13))}}


def test_a_quantity_that_only_some_candidates_have_is_kept_for_them() -> None:
    taken = interleave({"a": lambda: {"x": 1.0, "y": 2.0}, "b": lambda: {"x": 3.0}}, 1)
    assert taken == {"x": {"a": Series((1.0,)), "b": Series((3.0,))}, "y": {"a": Series((2.0,))}}


def test_no_candidate_always_follows_the_same_one() -> None:
    taken: list[str] = []

    def taking(name: str) -> Mapping[str, float]:
        taken.append(name)
        return {"x": 0.0}

    interleave({name: partial(taking, name) for name in ("a", "b", "c")}, 99)
    orders = {"".join(taken[start : start + 3]) for start in range(0, 300, 3)}
    assert orders == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_values_are_combined_round_by_round() -> None:
    ours, peer = Series((1.0, 2.0, 30.0)), Series((4.0, 4.0, 60.0))
    assert (ours / peer).values == (0.25, 0.5, 0.5)
    assert (peer - ours).values == (3, 2, 30)


@pytest.mark.parametrize(("count", "first", "last"), [(1, 0, 0), (5, 0, 4), (6, 0, 5), (31, 9, 21)])
def test_the_interval_is_between_order_statistics(count: int, first: int, last: int) -> None:
    values = [float(value) for value in range(count)]
    random.shuffle(values)
    assert Series(tuple(values)).interval == (first, last)


def test_the_interval_covers_the_median_as_often_as_it_claims() -> None:
    chance = random.Random(1)
    samples = [Series(tuple(chance.gauss(0, 1) for _ in range(31))) for _ in range(2_000)]
    covered = sum(low <= 0 <= high for low, high in (one.interval for one in samples))
    assert 0.95 <= covered / len(samples) <= 0.985
