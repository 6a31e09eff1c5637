"""Starts the local estate as a user does, and stops it."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.compute.processes import Program
from local.env_file import EnvFile

_READY_SECONDS = 300.0
_STOP_SECONDS = 180.0  # after a long load its data take a while to free


class EstateFailed(Exception):
    """The estate did not start, or did not stop in order. The message has its output."""


@dataclass(frozen=True, slots=True)
class Estate:
    """A running estate and the variables of its env file."""

    pid: int
    variables: dict[str, str]


@contextmanager
def running_estate(*arguments: str) -> Iterator[Estate]:
    """An estate on free ports, which ends with the block, and with this process.

    Args:
        arguments: Further arguments of `local.up`.

    Raises:
        EstateFailed: It does not start within five minutes, or ends with an error.
    """
    with tempfile.TemporaryDirectory(prefix="fin-advisor-load-") as name:
        env_file, output = Path(name, "estate.env"), Path(name, "output.txt")
        program = Program("local.up", ("--port", "0", "--env-file", str(env_file), *arguments))
        with output.open("wb") as sink:
            process = subprocess.Popen(  # noqa: S603 - our own program
                program.command(),
                env=program.environment(),
                cwd=program.working_directory.parent,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        try:
            _await(process, env_file, output)
            yield Estate(process.pid, EnvFile(env_file).read())
        finally:
            _stop(process)
            if process.returncode != 0:
                raise EstateFailed(
                    f"the estate ended with status {process.returncode}:\n{output.read_text()}"
                )


def _await(process: "subprocess.Popen[bytes]", env_file: Path, output: Path) -> None:
    give_up = time.monotonic() + _READY_SECONDS
    while not env_file.exists():
        if process.poll() is not None or time.monotonic() > give_up:
            raise EstateFailed(f"the estate did not start:\n{output.read_text()}")
        time.sleep(0.05)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
