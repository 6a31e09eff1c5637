"""A thread pool for blocking calls, bounded by the request's deadline."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cached_property
from typing import Final

from shared.errors import DeadlineExceeded
from shared.request.deadline import remaining_seconds

TIME_IS_UP: Final = "The time for this request is used up; try again with a smaller request."


class Pool:
    """A bounded number of threads, started at first use and reused.

    Requests may share a pool: each waits for its own calls only, until its own deadline.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def map[T, R](self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Call a function for each item and return the results in the items' order.

        Calls that have not begun when an error is raised are cancelled.

        Raises:
            DeadlineExceeded: The request's time is used up.
            Exception: The first error of a call.
        """
        work = list(items)
        if len(work) < 2 and remaining_seconds() is None:
            return [function(one) for one in work]
        # Each call runs in the caller's context, which has its deadline, trace and request id.
        futures = [self._executor.submit(copy_context().run, function, one) for one in work]
        try:
            return _results(futures)
        finally:
            for future in futures:
                future.cancel()

    @cached_property
    def _executor(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._workers, thread_name_prefix="s3vector")


def _results[R](futures: list[Future[R]]) -> list[R]:
    done, waiting = wait(futures, timeout=remaining_seconds(), return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()
    if waiting:
        raise DeadlineExceeded(TIME_IS_UP)
    return [future.result() for future in futures]
