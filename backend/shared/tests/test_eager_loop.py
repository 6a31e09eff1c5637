"""A request's task ends as it would in any loop; where nothing waits, before the loop turns."""

import asyncio
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar

import anyio.to_thread
import pytest

from shared.eager_loop import EagerLoop

_name: ContextVar[str] = ContextVar("name", default="outside")


@pytest.fixture
def loop() -> Iterator[EagerLoop]:
    loop = EagerLoop()
    yield loop
    loop.close()


async def _nothing_to_wait_for() -> str:
    assert asyncio.get_running_loop().is_running()
    assert asyncio.current_task() is not None
    return _name.get()


def test_a_task_that_waits_for_nothing_is_done_when_it_is_made(loop: EagerLoop) -> None:
    task = loop.create_task(_nothing_to_wait_for())
    assert task.done()
    assert loop.run_until_complete(task) == "outside"
    assert not loop.is_running()


def test_outside_of_a_task_no_loop_is_running(loop: EagerLoop) -> None:
    loop.run_until_complete(_nothing_to_wait_for())
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


def test_a_task_that_waits_goes_on_in_the_loop(loop: EagerLoop) -> None:
    steps: list[str] = []

    async def child(name: str) -> str:
        await asyncio.sleep(0)
        steps.append(name)
        return name

    async def work() -> list[str]:
        steps.append("began")
        async with asyncio.timeout(30):
            first = await asyncio.gather(child("a"), child("b"))
        thread = await anyio.to_thread.run_sync(lambda: threading.current_thread().name)
        assert thread != threading.current_thread().name
        return [*first, await child("c")]

    task = loop.create_task(work())
    assert (task.done(), steps) == (False, ["began"])
    assert loop.run_until_complete(task) == ["a", "b", "c"]
    assert steps == ["began", "a", "b", "c"]


def test_a_timeout_that_the_first_step_sets_ends_the_wait(loop: EagerLoop) -> None:
    async def work() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        loop.run_until_complete(work())


@pytest.mark.parametrize("waits", [False, True])
def test_an_error_is_the_callers(loop: EagerLoop, waits: bool) -> None:
    async def work() -> None:
        if waits:
            await asyncio.sleep(0)
        raise KeyError("x")

    with pytest.raises(KeyError):
        loop.run_until_complete(work())
    assert loop.run_until_complete(_nothing_to_wait_for()) == "outside"


def test_what_a_task_binds_stays_in_it(loop: EagerLoop) -> None:
    async def work() -> str:
        _name.set("inside")
        return _name.get()

    assert loop.run_until_complete(work()) == "inside"
    assert _name.get() == "outside"


def test_a_future_is_waited_for(loop: EagerLoop) -> None:
    future: asyncio.Future[int] = loop.create_future()
    loop.call_soon(future.set_result, 5)
    assert loop.run_until_complete(future) == 5


def test_what_a_request_leaves_behind_is_run_or_dropped(loop: EagerLoop) -> None:
    noted: list[int] = []

    async def note(number: int) -> None:
        noted.append(number)

    async def work(number: int) -> None:
        keep.append(asyncio.create_task(note(number)))
        async with asyncio.timeout(30):
            pass

    keep: list[asyncio.Task[None]] = []
    for number in range(50):
        loop.run_until_complete(work(number))
    assert noted == list(range(50))
    assert len(loop._ready) + len(loop._scheduled) < 5


def test_a_generator_that_is_left_early_is_closed(loop: EagerLoop) -> None:
    closed: list[str] = []

    async def lines() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.append("closed")

    async def work() -> None:
        async for _ in lines():
            break
        await asyncio.sleep(0.01)

    loop.run_until_complete(work())
    loop.run_until_complete(loop.shutdown_asyncgens())
    assert closed == ["closed"]


def test_inside_another_loop_it_refuses_as_any_loop_does(loop: EagerLoop) -> None:
    async def outer() -> None:
        work = _nothing_to_wait_for()
        with pytest.raises(RuntimeError, match="another loop is running"):
            loop.run_until_complete(work)
        assert asyncio.get_running_loop() is not loop

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the refused task never begins
        asyncio.run(outer())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))


def test_a_closed_loop_refuses() -> None:
    loop = EagerLoop()
    loop.close()
    work = _nothing_to_wait_for()
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_until_complete(work)
    work.close()
