"""Which growth and which errors fail a run."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.soak.outcome import Outcome
from benchmarks.soak.processes import LAUNCHER, Change, Usage, changes
from benchmarks.soak.tally import Answer, Tally

MEBIBYTE = 1024 * 1024
STEADY = Usage(100 * MEBIBYTE, 20, 5)


def outcome(processes: Sequence[Change], *, judges_growth: bool = True) -> Outcome:
    tally = Tally()
    tally.record("GET /a", Answer(200, {}), 0.5)
    launcher = Change(LAUNCHER, 1, STEADY, replace(STEADY, memory_bytes=900 * MEBIBYTE))
    every = [launcher, *processes]
    return Outcome(8, 300.0, tally, every, ["api"], judges_growth=judges_growth)


def api(begin: Usage, end: Usage) -> Change:
    return Change("api", 2, begin, end)


def test_a_steady_estate_passes_although_the_embedded_aws_grows() -> None:
    grown = replace(STEADY, memory_bytes=101 * MEBIBYTE, threads=9)
    assert list(outcome([api(STEADY, grown)]).misses()) == []


@pytest.mark.parametrize(
    ("end", "miss"),
    [
        (replace(STEADY, memory_bytes=103 * MEBIBYTE), "memory grew by 3.0%"),
        (replace(STEADY, descriptors=21), "1 more descriptors"),
    ],
)
def test_a_growth_fails_a_run_that_is_long_enough(end: Usage, miss: str) -> None:
    (line,) = outcome([api(STEADY, end)]).misses()
    assert miss in line
    assert line.startswith("api (2)")
    assert list(outcome([api(STEADY, end)], judges_growth=False).misses()) == []


def test_descriptors_of_the_launcher_are_judged_unless_it_started_processes() -> None:
    found = outcome([api(STEADY, STEADY)])
    leaking = [replace(one, end=replace(one.end, descriptors=30)) for one in found.processes]
    found = replace(found, processes=leaking[:1], services=[])
    assert [miss.split()[0] for miss in found.misses()] == [LAUNCHER]
    assert list(replace(found, has_grown=True).misses()) == []


def test_a_service_whose_processes_were_all_replaced_fails() -> None:
    assert list(outcome([]).misses()) == ["api: no process lived throughout"]


def test_errors_fail_a_run_and_shedding_does_not() -> None:
    found = outcome([api(STEADY, STEADY)], judges_growth=False)
    found.tally.record("GET /a", Answer(503, {"retry-after": "1"}), 0.1)
    assert list(found.misses()) == []
    found.tally.record("GET /a", Answer(500, {}), 0.1)
    assert list(found.misses()) == ["GET /a: 500 without a code: 1 times"]


def test_a_run_without_a_served_request_fails() -> None:
    assert "no request was served" in list(replace(outcome([]), tally=Tally()).misses())


def test_the_tables_have_a_row_for_each_request_failure_and_process() -> None:
    found = outcome([api(STEADY, replace(STEADY, memory_bytes=101 * MEBIBYTE))])
    found.tally.record("GET /a", Answer(503, {"retry-after": "1"}), 0.1)
    text = found.markdown()
    assert "| `GET /a` | 1 | 500 | 500 | 500 |" in text
    assert "| `GET /a: 503 without a code` | shed | 1 |" in text
    assert "| api | 100.0 → 101.0 | +1.0% | 20 → 20 | 5 → 5 |" in text
    stored = found.as_json()
    assert stored["operations"]["GET /a"] == {"served": 1, "p50": 0.5, "p95": 0.5, "p99": 0.5}
    assert stored["processes"][1]["memory_growth"] == 0.01


def test_windows_are_compared_and_not_single_moments() -> None:
    """One swing of memory or one open request more does not count as a growth."""
    key = ("api", 2)
    usages = [replace(STEADY, memory_bytes=(100 + number % 2) * MEBIBYTE) for number in range(50)]
    usages[3] = replace(usages[3], descriptors=25)
    usages[45] = replace(usages[45], memory_bytes=300 * MEBIBYTE, descriptors=40)
    (change,) = changes([{key: usage} for usage in usages])
    assert change.memory_growth < 0.02
    assert change.new_descriptors == 0


def test_a_leak_of_descriptors_shows_beside_open_requests() -> None:
    usages = [replace(STEADY, descriptors=20 + number % 3 + number // 5) for number in range(50)]
    (change,) = changes([{("api", 2): usage} for usage in usages])
    assert change.new_descriptors > 0


def test_a_process_that_did_not_live_throughout_is_left_out() -> None:
    key, late = ("api", 2), ("api", 3)
    assert [one.pid for one in changes([{key: STEADY}, {key: STEADY, late: STEADY}])] == [2]
