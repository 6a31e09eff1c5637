"""Concurrent calls keep their order, their context and their caller's deadline."""

import threading
import time

import pytest

from s3vector.pool import Pool
from shared.errors import DeadlineExceeded
from shared.logging import request_context
from shared.request import deadline


def test_results_come_in_the_order_of_the_items() -> None:
    assert Pool(4).map(lambda one: one * 2, range(50)) == [one * 2 for one in range(50)]
    assert Pool(4).map(lambda one: one, []) == []


def test_no_more_calls_run_at_once_than_it_has_workers() -> None:
    running, most = 0, 0
    lock = threading.Lock()
    barrier = threading.Barrier(3, timeout=10)

    def call(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait()
        with lock:
            running -= 1

    Pool(3).map(call, range(9))
    assert most == 3


def test_calls_see_the_callers_context() -> None:
    token = request_context.bind(request_context.RequestContext("the-request"))
    try:
        assert set(Pool(2).map(lambda _: request_context.request_id(), range(5))) == {"the-request"}
    finally:
        request_context.reset(token)


def test_the_first_error_ends_the_rest() -> None:
    begun: list[int] = []

    def call(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise ValueError("the first")

    with pytest.raises(ValueError, match="the first"):
        Pool(1).map(call, range(100))
    assert len(begun) < 100


@pytest.mark.parametrize("count", [1, 5])
def test_the_deadline_ends_the_waiting(count: int) -> None:
    release = threading.Event()
    ended: list[int] = []

    def call(number: int) -> None:
        release.wait()
        ended.append(number)

    try:
        with deadline.scope(time.time() + 0.2), pytest.raises(DeadlineExceeded):
            Pool(2).map(call, range(count))
        assert ended == []
    finally:
        release.set()
