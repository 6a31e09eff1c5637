"""The record of requests through the gateway."""

from local.gateway.hops import Hop, Hops


def hop(number: int, trace_id: str = "t") -> Hop:
    return Hop(str(number), trace_id, "", "api", "GET", "/dev/api", 200, float(number), 1.0)


def test_the_hops_of_a_trace_are_sorted_by_start_time() -> None:
    hops = Hops()
    for number in (3, 1, 2):  # a caller is recorded after those it called
        hops.add(hop(number))
    hops.add(hop(0, "other"))
    assert [found.request_id for found in hops.of_trace("t")] == ["1", "2", "3"]


def test_only_the_latest_are_kept() -> None:
    hops = Hops(kept=3)
    for number in range(5):
        hops.add(hop(number))
    assert [found.request_id for found in hops.latest()] == ["2", "3", "4"]
