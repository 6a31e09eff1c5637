"""An event loop for one request at a time."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any


class EagerLoop(asyncio.SelectorEventLoop):
    """Takes a task's first steps when it is made, outside of `run_until_complete`.

    Most requests to a function wait for nothing: their task is done before the loop would have
    begun to turn, which costs as much as routing them. One that does wait goes on in the loop.
    https://docs.python.org/3.13/library/asyncio-task.html#asyncio.eager_task_factory
    """

    _is_stepping = False

    def is_running(self) -> bool:
        """Return whether the loop turns or takes a task's first steps."""
        return self._is_stepping or super().is_running()

    def create_task[T](self, coro: Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:
        """Make a task, and run it up to where it first waits unless another one runs."""
        if self.is_running():
            return super().create_task(coro, **options)
        self._is_stepping = True
        asyncio._set_running_loop(self)
        try:
            return asyncio.Task(coro, loop=self, eager_start=True, **options)
        finally:
            asyncio._set_running_loop(None)
            self._is_stepping = False

    def run_until_complete[T](self, future: Awaitable[T]) -> T:
        """Return the result of a future or coroutine; one that is there already at once."""
        if asyncio.iscoroutine(future):
            future = self.create_task(future)
        if isinstance(future, asyncio.Task) and future.done():
            result: T = future.result()
            return result
        return super().run_until_complete(future)
