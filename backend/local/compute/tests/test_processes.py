"""Child processes: they end with their parent and leave Ctrl-C to it."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.compute.logs import LogFolder
from local.compute.processes import BACKEND, ChildProcess, Program, describe_exit
from local.conftest import wait_until

pytestmark = pytest.mark.anyio

PARENT = """
import asyncio, sys
from pathlib import Path
from local.compute.logs import LogFolder
from local.compute.processes import ChildProcess, Program
async def main():
    log = LogFolder(Path(sys.argv[1]))["child"]
    child = await ChildProcess.start(Program("sleeper", path=(Path(sys.argv[1]),)), {}, log)
    print(child.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
SLEEPER = "import time\nprint('awake', flush=True)\ntime.sleep(600)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    return tmp_path


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie has ended too; its new parent has not waited for it yet.
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)],  # noqa: S607 - found on PATH
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def awake(folder: Path) -> bool:
    log = folder / "child.log"
    return log.exists() and "awake" in log.read_text()


def test_a_child_ends_when_its_parent_is_killed(folder: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)],
        env={**os.environ, "PYTHONPATH": str(BACKEND)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert wait_until(lambda: awake(folder), seconds=60)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_until(lambda: not alive(pid), seconds=60)


async def test_a_child_does_not_act_on_ctrl_c(folder: Path) -> None:
    # Like uvicorn, the child installs its own handler of SIGINT. Python runs the handlers of
    # pending signals in the order of their numbers, so SIGINT's would run before SIGUSR1's.
    handlers = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(9))\n"
        "signal.signal(signal.SIGUSR1, lambda *_: print('still running', flush=True))\n"
    )
    (folder / "sleeper.py").write_text(handlers + SLEEPER)
    logs = LogFolder(folder)
    child = await ChildProcess.start(Program("sleeper", path=(folder,)), {}, logs["child"])
    assert await asyncio.to_thread(wait_until, lambda: awake(folder), seconds=60)
    os.kill(child.pid, signal.SIGINT)
    os.kill(child.pid, signal.SIGUSR1)
    log = folder / "child.log"
    assert await asyncio.to_thread(
        wait_until, lambda: "still running" in log.read_text(), seconds=60
    )
    await child.stop(grace_seconds=60)
    assert child.returncode == -signal.SIGTERM
    logs.close()


async def test_a_child_that_ignores_sigterm_is_killed(folder: Path) -> None:
    ignoring = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    (folder / "sleeper.py").write_text(ignoring + SLEEPER)
    logs = LogFolder(folder)
    child = await ChildProcess.start(Program("sleeper", path=(folder,)), {}, logs["child"])
    assert await asyncio.to_thread(wait_until, lambda: awake(folder), seconds=60)
    await child.stop(grace_seconds=0.2)
    assert child.returncode == -signal.SIGKILL
    logs.close()


async def test_output_goes_to_the_log_and_to_the_terminal(folder: Path) -> None:
    (folder / "sleeper.py").write_text("import sys\nprint('one')\nprint('two', file=sys.stderr)\n")
    shown: list[str] = []
    logs = LogFolder(folder, show=shown.append)
    child = await ChildProcess.start(Program("sleeper", path=(folder,)), {}, logs["child"])
    await asyncio.wait_for(child.exited.wait(), 60)
    assert sorted(logs["child"].path.read_text().split()) == ["one", "two"]
    assert sorted(shown) == ["child | one", "child | two"]
    assert logs["child"].last_error() in {"one", "two"}
    logs.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has this device")
async def test_a_full_disk_loses_lines_and_is_reported_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "sleeper.py").write_text("print('one')\nprint('two')\n")
    (folder / "child.log").symlink_to("/dev/full")
    logs = LogFolder(folder)
    child = await ChildProcess.start(Program("sleeper", path=(folder,)), {}, logs["child"])
    await asyncio.wait_for(child.exited.wait(), 60)
    assert logs["child"].last_error() == "two"
    assert [record.getMessage() for record in caplog.records] == [
        "child.log loses lines: No space left on device"
    ]
    logs.close()


async def test_a_line_of_many_megabytes_is_dropped_and_the_next_is_read(folder: Path) -> None:
    (folder / "sleeper.py").write_text("print('x' * 9_000_000)\nprint('after')\n")
    logs = LogFolder(folder)
    child = await ChildProcess.start(Program("sleeper", path=(folder,)), {}, logs["child"])
    await asyncio.wait_for(child.exited.wait(), 60)
    assert logs["child"].last_error() == "after"
    logs.close()


async def test_an_isolated_program_sees_neither_backend_nor_site_packages(folder: Path) -> None:
    (folder / "sleeper.py").write_text(
        "import importlib.util, sys\n"
        "print([importlib.util.find_spec(n) is not None for n in ('local', 'moto', 'sleeper')])\n"
    )
    logs = LogFolder(folder)
    program = Program("sleeper", path=(folder,), working_directory=folder, isolated=True)
    child = await ChildProcess.start(program, {}, logs["child"])
    await asyncio.wait_for(child.exited.wait(), 60)
    assert logs["child"].last_error() == "[False, False, True]"
    logs.close()


def test_an_exit_is_described() -> None:
    assert describe_exit(3) == "exit status 3"
    assert describe_exit(-9) == "signal SIGKILL"


async def test_a_child_finds_the_sources_without_the_first_folder_of_pythonpath(
    tmp_path: Path,
) -> None:
    """A debugger that attaches to child processes replaces that folder with its own."""
    logs = LogFolder(tmp_path)
    try:
        elsewhere = {"PYTHONPATH": str(tmp_path)}
        child = await ChildProcess.start(Program("local.options"), elsewhere, logs["child"])
        await asyncio.wait_for(child.exited.wait(), 60)
    finally:
        logs.close()
    assert child.returncode == 0
