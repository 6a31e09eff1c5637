"""Ratios of a figure, and the targets that it misses."""

from benchmarks.figure import OURS, Candidate, Figure, Packing
from benchmarks.series import Series

COMPILED = Candidate(OURS, Packing.COMPILED)
PEER = Candidate("peer", Packing.COMPILED)
PEER_PLAIN = Candidate("peer", Packing.PLAIN)


def figure(
    targets: dict[Candidate, float] | None = None, limits: dict[Candidate, float] | None = None
) -> Figure:
    series = {
        COMPILED: Series((1.0, 2.0, 3.0)),
        PEER: Series((2.0, 4.0, 6.0)),
        PEER_PLAIN: Series((8.0, 8.0, 12.0)),
    }
    return Figure("A figure", "ms", series, targets or {}, limits or {})


def test_ours_is_compared_to_both_packings_of_a_peer() -> None:
    assert figure().ratio(PEER) == Series((0.5, 0.5, 0.5))
    assert figure().ratio(PEER_PLAIN) == Series((0.125, 0.25, 0.25))
    assert figure().ratio(COMPILED) is None


def test_the_packers_gain_is_the_ratio_of_a_candidates_two_packings() -> None:
    assert figure().packer_ratio("peer") == Series((0.25, 0.5, 0.5))
    assert figure().packer_ratio(OURS) is None


def test_a_missed_target_is_named_and_a_met_one_is_not() -> None:
    assert list(figure(targets={PEER: 0.5, PEER_PLAIN: 0.25}).misses()) == []
    (miss,) = figure(targets={PEER: 0.4}).misses()
    assert miss == "A figure: ours / peer (our packer) = 0.50, target 0.40"


def test_a_missed_limit_is_named_and_a_met_one_is_not() -> None:
    assert list(figure(limits={COMPILED: 2.0}).misses()) == []
    (miss,) = figure(limits={PEER: 3.0}).misses()
    assert miss == "A figure: peer = 4.0 ms, target 3.0 ms"
