"""What counts as served, as shed and as an error."""

import pytest

from benchmarks.soak.tally import Answer, Tally

RETRY = {"Retry-After": "1"}


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_that_says_when_to_come_back_is_shedding(status: int) -> None:
    tally = Tally()
    tally.record("GET /a", Answer(status, RETRY, '{"error": "overloaded"}'), 0.1)
    assert tally.shed == {f"GET /a: {status} overloaded": 1}
    assert not tally.errors
    assert tally.requests == 1
    assert tally.served() == {}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(503, {}, '{"error": "overloaded"}'), "503 overloaded"),
        (Answer(429, {}, '{"message": "Limit Exceeded"}'), "429 Limit Exceeded"),
        (Answer(500, RETRY, '{"message": null}'), "500 without a code"),
        (Answer(502, RETRY, "<html>"), "502 without a code"),
        (Answer(404, {}, "[1]"), "404 without a code"),
        (Answer(302, {}), "302 without a code"),
        (Answer(0, {}, failure="ConnectionRefusedError"), "no answer: ConnectionRefusedError"),
    ],
)
def test_everything_else_that_is_not_served_is_an_error(answer: Answer, kind: str) -> None:
    tally = Tally()
    tally.record("GET /a", answer, 0.1)
    assert tally.errors == {f"GET /a: {kind}": 1}
    assert not tally.shed
    assert tally.served() == {}


def test_percentiles_are_those_of_the_served_requests_of_each_operation() -> None:
    tally = Tally()
    for number in range(101):
        tally.record("GET /a", Answer(200, {}), float(number))
    tally.record("GET /a", Answer(500, {}), 1000.0)
    tally.record("POST /b", Answer(202, {}), 7.0)
    assert tally.percentiles() == {
        "GET /a": {"p50": 50.0, "p95": 95.0, "p99": 99.0},
        "POST /b": {"p50": 7.0, "p95": 7.0, "p99": 7.0},
    }
    assert tally.requests == 103


def test_errors_of_the_warm_up_are_not_forgotten() -> None:
    tally = Tally()
    tally.record("GET /a", Answer(200, {}), 1.0)
    tally.record("GET /a", Answer(500, {}), 1.0)
    tally.record("GET /a", Answer(503, RETRY), 1.0)
    tally.begin()
    assert (tally.requests, tally.percentiles(), tally.errors.total()) == (1, {}, 1)
