"""Lambda on one machine: each function has a pool of environments that grows with demand."""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator

from local.blueprint import Function
from local.compute.environments import Environment, InitFailedError
from local.compute.runtime_api import Invocation, InvocationResult

PAYLOAD_LIMIT_BYTES = 6_291_456

_MAX_ENVIRONMENTS = 10
_IDLE_SECONDS = 60.0  # Lambda waits for minutes; here each process takes 100 MB of a laptop
# A start is CPU-bound: more starts at once than cores only delay all of them.
_MAX_STARTS = max(1, (os.cpu_count() or 2) // 2)

type MakeEnvironment = Callable[[Function, int], Environment]


class FunctionThrottledError(Exception):
    """The function already runs as many invocations as its reserved concurrency allows."""


class FunctionPool:
    """The environments of one function.

    Lambda starts an environment for each concurrent invocation. One machine cannot: beyond
    `max_environments`, invocations wait for a free environment, up to the function's reserved
    concurrency. An environment that is idle for `idle_seconds` ends, unless it is the only one.
    """

    def __init__(
        self,
        function: Function,
        make_environment: MakeEnvironment,
        *,
        max_environments: int = _MAX_ENVIRONMENTS,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self.function = function
        self._make_environment = make_environment
        self._max_environments = min(max_environments, max(1, function.reserved_concurrency))
        self._generation = 0
        self._is_suspended = False
        self.cold_starts = 0
        self.restarts = 0
        """How often a process was replaced because it ended by itself or its code changed."""
        self.cannot_start = False
        """Whether the last process that was started did not come up."""
        self._environments: set[Environment] = set()
        self._made: set[Environment] = set()  # includes those that are starting or stopping
        self._idle_seconds = idle_seconds
        self._idle: dict[Environment, asyncio.TimerHandle] = {}
        self._starting = 0
        self._settling = 0
        self._active = 0
        self._waiting: deque[asyncio.Future[Environment]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pids(self) -> list[int]:
        """The processes that serve this function now."""
        return [environment.pid for environment in self._environments if environment.pid]

    @property
    def is_suspended(self) -> bool:
        return self._is_suspended

    @property
    def is_starting(self) -> bool:
        """Whether a process is starting and none serves yet."""
        return len(self._made) > 0 and not self._environments

    async def suspend(self) -> None:
        """End every process. Invocations fail until `resume`."""
        self._is_suspended = True
        stopped = self._stopped()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(stopped)
        self._waiting.clear()
        self._take_idle()
        await asyncio.gather(*(self._discard(environment) for environment in list(self._made)))

    async def resume(self) -> None:
        """Serve again. Raises InitFailedError if the first environment cannot start."""
        self._is_suspended = False
        if not self._environments:
            await self.warm()

    async def warm(self) -> None:
        """Start the first environment. Raises InitFailedError if it cannot start."""
        self._make_available(await self._start(self._generation))

    async def invoke(
        self,
        payload: bytes,
        *,
        trace_id: str,
        client_context: str | None = None,
        arn: str | None = None,
        wants_output: bool = False,
        on_piece: Callable[[bytes], None] | None = None,
    ) -> InvocationResult:
        """Run the function on `payload`. `arn` is the ARN that the caller used. `on_piece` gets the
        pieces of a streamed result as they come.

        Raises FunctionThrottledError if its reserved concurrency is used up.
        """
        if self._active >= self.function.reserved_concurrency:
            raise FunctionThrottledError(self.function.name)
        self._active += 1
        invocation = Invocation(
            payload,
            self.function.timeout_seconds,
            arn or self.function.arn,
            trace_id,
            client_context,
            wants_output,
            on_piece,
        )
        try:
            environment = await self._acquire()
            try:
                return await environment.invoke(invocation)
            finally:
                self._settling += 1
                self._spawn(self._settle(environment))
        except InitFailedError as error:
            return InvocationResult(invocation.request_id, error.payload, "Unhandled")
        finally:
            self._active -= 1

    async def reload(self) -> None:
        """Replace all environments by new ones, which import the current code.

        The old ones serve until the first new one is ready. If it fails (InitFailedError), they
        stay.
        """
        generation = self._generation + 1
        fresh = await self._start(generation)
        self.restarts += 1
        self._generation = generation
        stale = self._take_idle()
        self._make_available(fresh)
        for environment in stale:
            await self._discard(environment)

    async def stop(self) -> None:
        """End every process, including those that are starting or being replaced."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for waiter in self._waiting:
            waiter.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._take_idle()
        self._environments.clear()
        await asyncio.gather(*(environment.stop() for environment in self._made))
        self._made.clear()

    def _stopped(self) -> InitFailedError:
        reason = f"{self.function.service} is stopped"
        failure = InvocationResult.failure("", "Runtime.ExitError", reason)
        return InitFailedError(reason, failure.payload)

    async def _acquire(self) -> Environment:
        if self._is_suspended:
            raise self._stopped()
        while self._idle:
            environment, timer = self._idle.popitem()  # the last one used, as on Lambda
            timer.cancel()
            if environment.alive:
                return environment
            self._spawn(self._discard(environment))
        waiter: asyncio.Future[Environment] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._grow()
        return await waiter

    async def _settle(self, environment: Environment) -> None:
        # The caller has its result. The process may still crash, so it is not available yet.
        try:
            await environment.settled()
        finally:
            self._settling -= 1
        self._release(environment)

    def _release(self, environment: Environment) -> None:
        is_current = environment.generation == self._generation and not self._is_suspended
        if environment.alive and is_current:
            self._make_available(environment)
        else:
            self._spawn(self._discard(environment))

    def _make_available(self, environment: Environment) -> None:
        """Give the environment to the first waiting invocation, or else make it idle."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(environment)
                return
        loop = asyncio.get_running_loop()
        self._idle[environment] = loop.call_later(self._idle_seconds, self._end_idle, environment)

    def _end_idle(self, environment: Environment) -> None:
        if len(self._environments) > 1:
            del self._idle[environment]
            self._spawn(self._discard(environment))

    def _take_idle(self) -> list[Environment]:
        taken = list(self._idle)
        for timer in self._idle.values():
            timer.cancel()
        self._idle.clear()
        return taken

    def _grow(self) -> None:
        if self._is_suspended:
            return
        wanted = min(len(self._waiting) - self._settling, _MAX_STARTS)
        room = self._max_environments - len(self._environments) - self._starting
        for _ in range(min(wanted - self._starting, room)):
            self._starting += 1
            self._spawn(self._start_another())

    async def _start_another(self) -> None:
        try:
            environment = await self._start(self._generation)
        except InitFailedError as error:
            while self._waiting and not self._environments:  # no environment will ever serve them
                waiter = self._waiting.popleft()
                if not waiter.done():
                    waiter.set_exception(error)
            self._starting -= 1
        else:
            self._starting -= 1
            self._release(environment)
            self._grow()

    async def _start(self, generation: int) -> Environment:
        environment = self._make_environment(self.function, generation)
        self._made.add(environment)
        try:
            await environment.start()
        except InitFailedError:
            self.cannot_start = True
            await environment.stop()
            self._made.discard(environment)
            raise
        self.cannot_start = False
        self.cold_starts += 1
        self._environments.add(environment)
        return environment

    async def _discard(self, environment: Environment) -> None:
        if environment in self._environments and not environment.alive:
            self.restarts += 1
        self._environments.discard(environment)
        self._grow()
        await environment.stop()
        self._made.discard(environment)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Functions:
    """All functions of the estate, by name."""

    def __init__(self, pools: Iterable[FunctionPool]) -> None:
        self._pools = {pool.function.name: pool for pool in pools}

    def __getitem__(self, name: str) -> FunctionPool:
        """The pool of the function with that name or ARN, whose qualifier is ignored.

        Raises KeyError if there is none.
        """
        if name.startswith("arn:"):
            name = name.split(":")[6]
        return self._pools[name.partition(":")[0]]

    def of_service(self, service: str) -> FunctionPool:
        """The pool of that service's function. Raises KeyError if it has none."""
        for pool in self._pools.values():
            if pool.function.service == service:
                return pool
        raise KeyError(service)

    async def warm(self) -> None:
        """Start one environment of each function.

        Raises an ExceptionGroup of InitFailedError if any cannot start.
        """
        async with asyncio.TaskGroup() as group:
            for pool in self._pools.values():
                group.create_task(pool.warm())

    def __iter__(self) -> Iterator[FunctionPool]:
        return iter(self._pools.values())

    async def stop(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
