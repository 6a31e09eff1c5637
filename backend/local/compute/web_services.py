"""App Runner on one machine: keeps a web service's process running, replaces it without a gap."""

import asyncio
import time
from collections.abc import Callable, Mapping

import httpx

from local.blueprint import WebService
from local.compute.logs import OutputLog
from local.compute.processes import ChildProcess, Program, describe_exit
from local.net.sockets import HOST, NO_CERTIFICATES, reserve

_START_LIMIT_SECONDS = 60.0
_HEALTH_PATH = "/health"
_CRASH_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


class ServiceFailedError(Exception):
    """The process ended or never became healthy. The message is the reason, in one line."""


class WebServiceHost:
    """Runs one web service. `on_url` is called with its URL, at the start and after each
    replacement; `report` with a line when its process has ended by itself.

    A process that ends is replaced: at once if it has run for a while, else after a pause that
    doubles each time, up to half a minute. Requests to it fail meanwhile.
    """

    def __init__(
        self,
        service: WebService,
        program: Program,
        variables: Mapping[str, str],
        log: OutputLog,
        *,
        on_url: Callable[[str], None],
        report: Callable[[str], None],
    ) -> None:
        self.service = service
        self._program = program
        self._variables = variables
        self._log = log
        self._on_url = on_url
        self._report = report
        self._pause_seconds = 0.0
        self._is_stopped = False
        self.starts = 0
        self.restarts = 0
        """How often a process was replaced because it ended by itself or its code changed."""
        self._process: ChildProcess | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._retired: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_stopped(self) -> bool:
        return self._is_stopped

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process and wait until it is healthy, or raise ServiceFailedError."""
        self._is_stopped = False
        await self._replace()

    async def reload(self) -> None:
        """Start a new process, use it once it is healthy, then stop the old one.

        Raises ServiceFailedError if the new one does not start; the old one then keeps running.
        """
        old = self._process
        await self._replace()
        self.restarts += 1
        if old is not None:
            task = asyncio.create_task(old.stop())
            self._retired.add(task)
            task.add_done_callback(self._retired.discard)

    async def stop(self) -> None:
        self._is_stopped = True
        if self._watcher is not None:
            self._watcher.cancel()
        if self._process is not None:
            await self._process.stop()
        await asyncio.gather(*self._retired)

    async def _replace(self) -> None:
        # Reserve the port until the process listens: otherwise an outgoing connection could get it.
        with reserve() as reserved:
            port = reserved.getsockname()[1]
            environment = {**self.service.environment, **self._variables, "PORT": str(port)}
            process = await ChildProcess.start(self._program, environment, self._log)
            try:
                await self._wait_until_healthy(process, f"http://{HOST}:{port}")
            except BaseException:
                process.kill()
                raise
        if self._watcher is not None and self._watcher is not asyncio.current_task():
            self._watcher.cancel()
        self.starts += 1
        self._process = process
        self._on_url(f"http://{HOST}:{port}")
        self._watcher = asyncio.create_task(self._watch(process))

    async def _wait_until_healthy(self, process: ChildProcess, url: str) -> None:
        give_up = time.monotonic() + _START_LIMIT_SECONDS
        async with httpx.AsyncClient(
            trust_env=False, timeout=5.0, verify=NO_CERTIFICATES
        ) as client:
            while time.monotonic() < give_up:
                if process.exited.is_set():
                    raise ServiceFailedError(self._describe(process))
                try:
                    if (await client.get(url + _HEALTH_PATH)).status_code == 200:
                        return
                except httpx.TransportError:
                    pass  # not listening yet
                await asyncio.sleep(0.05)
        raise ServiceFailedError(f"it was not healthy within {_START_LIMIT_SECONDS:.0f} s")

    async def _watch(self, process: ChildProcess) -> None:
        began = time.monotonic()
        await process.exited.wait()
        reason = self._describe(process)
        self._log.write(f"{self.service.name} ended: {reason}".encode())
        if time.monotonic() - began >= _CRASH_SECONDS:
            self._pause_seconds = 0.0
        while True:
            pause = f" in {self._pause_seconds:g} s" if self._pause_seconds else ""
            self._report(f"{self.service.service} ended and starts again{pause}: {reason}")
            await asyncio.sleep(self._pause_seconds)
            doubled = self._pause_seconds * 2 or _FIRST_PAUSE_SECONDS
            self._pause_seconds = min(doubled, _LONGEST_PAUSE_SECONDS)
            try:
                await self._replace()  # as App Runner does
            except ServiceFailedError as error:
                reason = str(error)
            else:
                self.restarts += 1
                return

    def _describe(self, process: ChildProcess) -> str:
        return f"{describe_exit(process.returncode)}: {self._log.last_error()}"
