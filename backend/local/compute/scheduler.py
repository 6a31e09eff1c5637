"""EventBridge Scheduler on one machine: invokes each scheduled function once a minute."""

import asyncio
import logging
from collections.abc import Mapping

from local.compute.functions import Functions, FunctionThrottledError
from local.traces.xray_header import TraceHeader

_log = logging.getLogger(__name__)


class Scheduler:
    """Invokes functions until it is stopped. `schedules` maps a service to its event, in JSON."""

    def __init__(
        self, functions: Functions, schedules: Mapping[str, str], *, every_seconds: float = 60.0
    ) -> None:
        self._functions = functions
        self._schedules = schedules
        self._every_seconds = every_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_seconds)
            await asyncio.gather(
                *(self._invoke(service, event) for service, event in self._schedules.items())
            )

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
