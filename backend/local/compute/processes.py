"""Child processes: what they run, how they are started and stopped."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

STREAM_RUNTIME = "shared.aws_lambda.runtime"
"""The loop of a function that streams, in the place of `awslambdaric`."""

BACKEND = Path(__file__).resolve().parents[2]

_CHILD = Path(__file__).with_name("child.py")
_LONGEST_LINE_BYTES = 8 * 1024 * 1024
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PEX_EXTRA_SYS_PATH", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Program:
    """A module to run in a child process; the folders of `path` come first on its `sys.path`.

    `isolated` hides everything but `path` and the standard library, as for a package on Lambda.
    `wrapper` is an AWS_LAMBDA_EXEC_WRAPPER: it gets the command as arguments and runs it with its
    own folders first on the path.
    """

    module: str
    arguments: tuple[str, ...] = ()
    path: tuple[Path, ...] = ()
    working_directory: Path = BACKEND
    isolated: bool = False
    wrapper: Path | None = None

    def command(self) -> list[str]:
        # A virtual environment's interpreter adds its site-packages even with -I; the one behind
        # the link does not.
        python = os.path.realpath(sys.executable) if self.isolated else sys.executable
        folders = os.pathsep.join(map(str, self.path))
        child = [str(_CHILD), str(os.getpid())]
        program = [self.module, *self.arguments]
        if self.wrapper is not None:
            # The folders are in PYTHONPATH, which the wrapper extends: so child.py gets none.
            return [str(self.wrapper.absolute()), python, "-sP", *child, "", *program]
        if not self.isolated:
            # BACKEND is in PYTHONPATH too, but a debugger may replace it there with its own folder.
            folders = os.pathsep.join(filter(None, (folders, str(BACKEND))))
        return [python, "-I" if self.isolated else "-P", *child, folders, *program]

    def environment(self) -> dict[str, str]:
        """The variables that the child inherits, and PYTHONPATH."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        extra = inherited.pop("PEX_EXTRA_SYS_PATH", None)
        if extra is not None and not self.isolated:
            # Pants sets it relative to the folder in which it started this process.
            inherited["PEX_EXTRA_SYS_PATH"] = _absolute(extra)
        folders = [*(self.path if self.wrapper else ()), *(() if self.isolated else (BACKEND,))]
        if folders:
            inherited["PYTHONPATH"] = os.pathsep.join(map(str, folders))
        return inherited


class Lines(Protocol):
    """Gets the lines that a child prints."""

    def write(self, line: bytes) -> None: ...


class ChildProcess:
    """One running child. Once it has ended, `exited` is set and `returncode` is known."""

    def __init__(self, process: asyncio.subprocess.Process, log: Lines) -> None:
        self._process = process
        self._log = log
        self.exited = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls, program: Program, environment: Mapping[str, str], log: Lines
    ) -> "ChildProcess":
        """Start `program` with `environment` and the few variables that children inherit."""
        process = await asyncio.create_subprocess_exec(
            *program.command(),
            env={**program.environment(), **environment},
            cwd=program.working_directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LONGEST_LINE_BYTES,
        )
        return cls(process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    async def stop(self, *, grace_seconds: float = 3.0) -> None:
        """Send SIGTERM, and SIGKILL if the process has not ended after `grace_seconds`."""
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.exited.wait(), grace_seconds)
        except TimeoutError:
            self.kill()
            await self.exited.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            # The process may have ended without `_read` having seen it yet.
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 - `start` asked for a pipe
        try:
            while True:
                try:
                    line = await stream.readline()
                except ValueError:  # longer than the limit; asyncio has discarded it
                    line = b"(a line longer than 8 MB was dropped)"
                if not line:
                    break
                self._log.write(line)
        finally:  # whatever `write` raises: `stop` waits for this event
            await self._process.wait()
            self.exited.set()


def _absolute(path: str) -> str:
    return os.pathsep.join(str(Path(entry).absolute()) for entry in path.split(os.pathsep) if entry)


def describe_exit(returncode: int | None) -> str:
    """`exit status 1`, or `signal SIGKILL`."""
    if returncode is not None and returncode < 0:
        return f"signal {signal.Signals(-returncode).name}"
    return f"exit status {returncode}"
