"""EventBridge Scheduler on one machine: invokes each scheduled function at its interval."""

import asyncio
import logging
from collections.abc import Mapping

from local.blueprint import Schedule
from local.compute.functions import Functions, FunctionThrottledError
from local.traces.xray_header import TraceHeader

_log = logging.getLogger(__name__)


class Scheduler:
    """Invokes functions until it is stopped. `schedules` has the name of each one's service."""

    def __init__(self, functions: Functions, schedules: Mapping[str, Schedule]) -> None:
        self._functions = functions
        self._schedules = schedules
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._run(service, schedule))
            for service, schedule in self._schedules.items()
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, service: str, schedule: Schedule) -> None:
        while True:
            await asyncio.sleep(schedule.every_seconds)
            await self._invoke(service, schedule.event)

    async def _invoke(self, service: str, event: str) -> None:
        pool = self._functions.of_service(service)
        try:
            result = await pool.invoke(event.encode(), trace_id=str(TraceHeader.parse(None)))
        except FunctionThrottledError:
            _log.warning("the scheduled invocation of %s was throttled", service)
            return
        if result.function_error is not None:
            reason = result.payload[:500].decode(errors="replace")
            _log.warning("the scheduled invocation of %s failed: %s", service, reason)
