"""An event loop for one request at a time."""

import asyncio
import sys
from asyncio import Handle, TimerHandle
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any


class EagerLoop(asyncio.SelectorEventLoop):
    """Takes a task's first steps when it is made, outside of `run_until_complete`.

    Most requests to a function wait for nothing: their task is done before the loop would have
    begun to turn, which costs as much as routing them. One that waits goes on in the loop, and
    one that leaves something to the loop has it turn once, as any loop would.
    https://docs.python.org/3.13/library/asyncio-task.html#asyncio.eager_task_factory
    """

    # The standard library's own, which its type stubs leave out.
    _ready: deque[Handle]
    _scheduled: list[TimerHandle]
    _asyncgen_firstiter_hook: Callable[[AsyncGenerator[Any, Any]], None]
    _asyncgen_finalizer_hook: Callable[[AsyncGenerator[Any, Any]], None]

    _is_stepping = False

    def is_running(self) -> bool:
        """Return whether the loop turns or takes a task's first steps."""
        return self._is_stepping or super().is_running()

    def create_task[T](self, coro: Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:
        """Make a task, and run it up to where it first waits unless another one runs."""
        if asyncio._get_running_loop() is not None or self.is_closed():
            return super().create_task(coro, **options)
        # What running the loop sets up around a step, as BaseEventLoop.run_forever does.
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(
            firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook
        )
        self._is_stepping = True
        asyncio._set_running_loop(self)
        try:
            return asyncio.Task(coro, loop=self, eager_start=True, **options)
        finally:
            asyncio._set_running_loop(None)
            self._is_stepping = False
            sys.set_asyncgen_hooks(*hooks)

    def run_until_complete[T](self, future: Awaitable[T]) -> T:
        """Return the result of a future or coroutine; one that is there already at once."""
        if asyncio.iscoroutine(future):
            future = self.create_task(future)
        # Whatever else a request left, a child or a timer, is the loop's to run or to drop.
        is_idle = not self._ready and not self._scheduled
        if is_idle and isinstance(future, asyncio.Task) and future.done():
            result: T = future.result()
            return result
        return super().run_until_complete(future)
