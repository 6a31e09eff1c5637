"""The table of faults: each fault now, beside what it cost before."""

from benchmarks.faults import Cost, table


def test_each_fault_has_a_row_with_what_it_cost_before_where_that_is_known() -> None:
    costs = [Cost("s3:reset", 503, 1, 3, 0.84), Cost("gateway:reset", 0, 0, 1, 0.0)]
    earlier = [{"fault": "s3:reset", "model_calls": 9, "status": 503, "seconds": 22.8}]
    assert table(costs, earlier).splitlines()[2:] == [
        "| `s3:reset` | 9 | 22.8 s | 503 | 1 | 3 | 0.8 s | 503 |",
        "| `gateway:reset` |  |  |  | 0 | 1 | 0.0 s | broken off |",
    ]
