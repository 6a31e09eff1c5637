"""Compaction limits the number of segments and the unused bytes, with little work at a write."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3vector.compaction import MAX_RUN, Limits, choose_run, choose_run_to_free

_LIMITS = Limits()
_MIB = 2**20
_CAPACITIES = (64, 192, 512, 8192)


def test_few_segments_are_left_alone() -> None:
    few = [10_000] * (_LIMITS.fanout - 1)
    assert choose_run([], [], _LIMITS) is None
    assert choose_run(few, few, _LIMITS) is None
    assert choose_run([*few, 10], [*few, 10], _LIMITS) == range(_LIMITS.fanout)


def test_full_segments_are_left_alone() -> None:
    sizes = [8 * _MIB] * 20
    assert choose_run(sizes, sizes, _LIMITS) is None


def test_small_neighbours_are_merged_before_large_ones() -> None:
    sizes = [*[2 * _MIB] * 8, *[10_000] * 12]
    assert choose_run(sizes, sizes, _LIMITS) == range(8, 20)
    assert choose_run(sizes[:8], sizes[:8], _LIMITS) == range(4)


def test_a_mostly_dead_segment_is_rewritten_alone() -> None:
    assert choose_run([8 * _MIB, 8 * _MIB], [8 * _MIB, _MIB], _LIMITS) == range(1, 2)


def test_a_segment_with_a_few_dead_rows_is_rewritten_only_for_room() -> None:
    assert choose_run([8 * _MIB], [7 * _MIB], _LIMITS) is None
    assert choose_run_to_free([8 * _MIB], [7 * _MIB], _LIMITS) == range(1)
    assert choose_run_to_free([8 * _MIB], [8 * _MIB], _LIMITS) is None


@given(st.lists(st.tuples(st.integers(0, 9 * _MIB), st.floats(0, 1)), max_size=60))
def test_the_work_of_a_merge_is_bounded(segments: list[tuple[int, float]]) -> None:
    sizes = [size for size, _ in segments]
    live = [int(size * part) for size, part in segments]
    for run in (choose_run(sizes, live, _LIMITS), choose_run_to_free(sizes, live, _LIMITS)):
        if run is not None:
            assert 0 < len(run) <= MAX_RUN
            kept = sum(live[number] for number in run)
            assert len(run) == 1 or kept <= _LIMITS.max_segment_bytes
            assert len(run) > 1 or sizes[run.start] > live[run.start]


@pytest.mark.parametrize("capacity_mib", [192, 1024])
def test_the_number_of_segments_is_bounded_whatever_is_written(capacity_mib: int) -> None:
    """Small writes between large ones are never neighbours, so no tier is ever full."""
    limits = Limits.for_capacity(capacity_mib * _MIB)
    rng = random.Random(5)
    sizes: list[int] = []
    written = rewritten = 0
    while sum(sizes) < capacity_mib * _MIB:
        # As large as a request may be, and a document of one passage.
        sizes.append(5 * _MIB if len(sizes) % 2 else rng.randrange(5_000, 500_000))
        written += sizes[-1]
        if (run := choose_run(sizes, sizes, limits)) is not None:
            merged = sum(sizes[run.start : run.stop])
            assert merged <= limits.max_segment_bytes
            rewritten += merged
            sizes[run.start : run.stop] = [merged]
        assert len(sizes) <= limits.most_segments(sum(sizes))
    assert rewritten / written < 5
    # 2 * 192 / 12 + 32, and 2 * 1024 / 32 + 32.
    assert len(sizes) <= {192: 64, 1024: 96}[capacity_mib]


@given(st.lists(st.integers(0, 9 * _MIB), min_size=1, max_size=120))
def test_too_many_segments_always_have_neighbours_that_fit(sizes: list[int]) -> None:
    if len(sizes) > _LIMITS.most_segments(sum(sizes)):
        run = choose_run(sizes, sizes, _LIMITS)
        assert run is not None
        assert len(run) > 1


def test_a_larger_store_has_larger_segments() -> None:
    sizes = {mib: Limits.for_capacity(mib * _MIB).max_segment_bytes / _MIB for mib in _CAPACITIES}
    assert sizes == {64: 8, 192: 12, 512: 32, 8192: 32}


def test_ten_thousand_writes_cost_little_rewriting_and_leave_few_segments() -> None:
    rng = random.Random(3)
    sizes: list[int] = []
    written = rewritten = most = 0
    for _ in range(10_000):
        sizes.append(rng.randrange(5_000, 20_000))
        written += sizes[-1]
        if (run := choose_run(sizes, sizes, _LIMITS)) is not None:
            merged = sum(sizes[run.start : run.stop])
            rewritten += merged
            sizes[run.start : run.stop] = [merged]
        most = max(most, sum(one < 4 * _MIB for one in sizes))
    assert most <= 4 * _LIMITS.fanout
    assert rewritten / written < 5
