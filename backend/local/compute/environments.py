"""A Lambda execution environment: a process under AWS's runtime client, and its Runtime API."""

import asyncio
import dataclasses
import datetime
import signal
import time
import uuid
from collections.abc import Callable, Mapping

from local.blueprint import REGION, Function
from local.compute.logs import OutputLog
from local.compute.processes import ChildProcess, Program, describe_exit
from local.compute.runtime_api import Invocation, InvocationResult, RuntimeApi

_KEPT_OUTPUT_BYTES = 16_384
_QUIET_SECONDS = 0.05
_INIT_LIMIT_SECONDS = 60.0  # Lambda allows 10; a laptop starts every service at once


class InitFailedError(Exception):
    """The function's process never asked for an event. The message is the reason, in one line.

    `payload` is the error that the runtime reported, or Lambda's own error if it reported none.
    """

    def __init__(self, message: str, payload: bytes) -> None:
        super().__init__(message)
        self.payload = payload


class Environment:
    """One process of a function, which handles one invocation at a time.

    `generation` counts the reloads of the function before this environment. `report` is called with
    a line when the process has ended by itself, once it was ready.
    """

    def __init__(
        self,
        function: Function,
        program: Program,
        variables: Mapping[str, str],
        log: OutputLog,
        *,
        generation: int = 0,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.generation = generation
        self._report = report
        self._is_stopping = False
        self._watcher: asyncio.Task[None] | None = None
        self._function = function
        self._program = program
        self._variables = variables
        self._log = log
        self._output = _Output(log)
        self._api = RuntimeApi()
        self._process: ChildProcess | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process and wait until it asks for its first event.

        Raises InitFailedError if it ends before that or takes too long.
        """
        await self._api.start()
        self._process = await ChildProcess.start(self._program, self._environment(), self._output)
        await _wait_for_any(
            self._api.ready, self._process.exited, timeout_seconds=_INIT_LIMIT_SECONDS
        )
        if not self._api.ready.is_set():
            raise InitFailedError(self._init_failure(), self._init_payload())
        self._watcher = asyncio.create_task(self._watch(self._process))

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        """Run one invocation. If it times out or its process ends, `alive` is False afterwards."""
        assert self._process is not None  # noqa: S101 - callers start it first
        began = time.monotonic()
        self._output.clear()
        self._api.submit(invocation)
        exited = asyncio.create_task(self._process.exited.wait())
        try:
            await asyncio.wait(
                (invocation.result, exited),
                timeout=invocation.timeout_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            exited.cancel()
        if not invocation.result.done():
            invocation.finish(await self._failure(invocation))
        result = invocation.result.result()
        duration_ms = (time.monotonic() - began) * 1000
        if invocation.wants_output:
            await self.settled()
            output = await self._output.collected()
            result = dataclasses.replace(result, output=output, duration_ms=duration_ms)
        return result

    async def settled(self) -> None:
        """Wait until the process asks for the next event or has ended."""
        assert self._process is not None  # noqa: S101 - see invoke
        await _wait_for_any(
            self._api.ready, self._process.exited, timeout_seconds=_INIT_LIMIT_SECONDS
        )

    async def stop(self) -> None:
        """Kill the process without warning, as Lambda does with an idle environment."""
        self._is_stopping = True
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.exited.wait()
        if self._watcher is not None:
            await self._watcher
        await self._api.stop()

    async def _watch(self, process: ChildProcess) -> None:
        await process.exited.wait()
        if not self._is_stopping:
            how = f"{describe_exit(process.returncode)}: {self._log.last_error()}"
            self._report(f"a process of {self._function.service} ended: {how}")

    async def _failure(self, invocation: Invocation) -> InvocationResult:
        assert self._process is not None  # noqa: S101 - see invoke
        if self._process.exited.is_set():
            reason = _exit_reason(self._process.returncode)
            return InvocationResult.failure(invocation.request_id, "Runtime.ExitError", reason)
        self._is_stopping = True
        self._process.kill()
        await self._process.exited.wait()
        message = f"Task timed out after {invocation.timeout_seconds:.2f} seconds"
        self._log.write(f"{invocation.request_id} {message}".encode())
        return InvocationResult.failure(invocation.request_id, "Sandbox.Timedout", message)

    def _init_failure(self) -> str:
        if self._api.init_error is not None:
            return self._api.init_error
        assert self._process is not None  # noqa: S101 - see start
        if not self._process.exited.is_set():
            return f"it did not ask for an event within {_INIT_LIMIT_SECONDS:.0f} s"
        return f"{describe_exit(self._process.returncode)}: {self._log.last_error()}"

    def _init_payload(self) -> bytes:
        if self._api.init_error_payload is not None:
            return self._api.init_error_payload
        process, request_id = self._process, str(uuid.uuid4())
        if process is not None and process.exited.is_set():
            reason = _exit_reason(process.returncode)
            return InvocationResult.failure(request_id, "Runtime.ExitError", reason).payload
        message = f"Task timed out after {_INIT_LIMIT_SECONDS:.2f} seconds"
        return InvocationResult.failure(request_id, "Sandbox.Timedout", message).payload

    def _environment(self) -> dict[str, str]:
        today = datetime.datetime.now(datetime.UTC).strftime("%Y/%m/%d")
        function = self._function
        return {
            "TZ": ":UTC",
            "LANG": "en_US.UTF-8",
            "LAMBDA_TASK_ROOT": str(self._program.working_directory),
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{today}/[{function.version}]{uuid.uuid4().hex}",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            **function.environment,
            **self._variables,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "_HANDLER": function.handler,
        }


class _Output:
    """Passes the process's lines on, and keeps those printed since the last `clear`."""

    def __init__(self, log: OutputLog) -> None:
        self._log = log
        self._kept = bytearray()

    def write(self, line: bytes) -> None:
        self._log.write(line)
        self._kept += line
        del self._kept[:-_KEPT_OUTPUT_BYTES]

    def clear(self) -> None:
        self._kept.clear()

    async def collected(self) -> bytes:
        """The lines kept, once no more have come for a moment: the pipe is read by another task."""
        before = -1
        while before != len(self._kept):
            before = len(self._kept)
            await asyncio.sleep(_QUIET_SECONDS)
        return bytes(self._kept)


def _exit_reason(returncode: int | None) -> str:
    """Lambda's words for how the runtime ended."""
    if returncode == 0:
        return "Runtime exited without providing a reason"
    if returncode is not None and returncode < 0:
        name = (signal.strsignal(-returncode) or str(-returncode)).partition(":")[0].lower()
        return f"Runtime exited with error: signal: {name}"
    return f"Runtime exited with error: exit status {returncode}"


async def _wait_for_any(*events: asyncio.Event, timeout_seconds: float) -> None:
    """Wait until one of `events` is set or the time is up."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
