"""A breaker opens after failures in a row, and closes after a probe that succeeds."""

from shared.request.circuit_breaker import FAILURES, OPEN_SECONDS, CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(clock=clock)
    for _ in range(FAILURES):
        assert breaker.wait_seconds() == 0
        breaker.record(failed=True)
    return breaker


def test_failures_in_a_row_open_it_for_some_time() -> None:
    clock = Clock()
    breaker = opened(clock)
    assert breaker.wait_seconds() == OPEN_SECONDS
    clock.now += OPEN_SECONDS - 1
    assert breaker.wait_seconds() == 1


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = CircuitBreaker(clock=Clock())
    for number in range(FAILURES * 3):
        breaker.record(failed=number % 2 == 0)
    assert breaker.wait_seconds() == 0


def test_half_open_it_lets_one_call_through() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += OPEN_SECONDS
    assert breaker.wait_seconds() == 0
    assert breaker.wait_seconds() == OPEN_SECONDS


def test_a_probe_that_succeeds_closes_it_and_one_that_fails_opens_it_again() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += OPEN_SECONDS
    assert breaker.wait_seconds() == 0
    breaker.record(failed=True)
    assert breaker.wait_seconds() == OPEN_SECONDS
    clock.now += OPEN_SECONDS
    assert breaker.wait_seconds() == 0
    breaker.record(failed=False)
    assert [breaker.wait_seconds() for _ in range(3)] == [0, 0, 0]


def test_a_probe_without_an_outcome_is_followed_by_another() -> None:
    clock = Clock()
    breaker = opened(clock)
    for _ in range(3):
        clock.now += OPEN_SECONDS
        assert breaker.wait_seconds() == 0
        assert breaker.wait_seconds() > 0
