"""Child processes live no longer than their parent, and Ctrl-C is the parent's affair."""

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
    # A zombie has ended too: whoever adopted it has not looked yet.
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)],  # noqa: S607 - wherever it is
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
    assert wait_until(lambda: awake(folder), seconds=10)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_until(lambda: not alive(pid), seconds=5)


async def test_a_child_does_not_act_on_ctrl_c(folder: Path) -> None:
    # Like uvicorn, it installs a handler of its own after the start.
    own = "import signal, sys\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(9))\n"
    (folder / "sleeper.py").write_text(own + SLEEPER)
    logs = LogFolder(folder)
    child = await ChildProcess.start(Program("sleeper", path=(folder,)), {}, logs["child"])
    assert await asyncio.to_thread(wait_until, lambda: awake(folder), seconds=10)
    os.kill(child.pid, signal.SIGINT)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(child.exited.wait(), 0.4)
    await child.stop()
    assert child.returncode == -signal.SIGTERM
    logs.close()


async def test_a_child_that_does_not_end_when_asked_is_ended(folder: Path) -> None:
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    (folder / "sleeper.py").write_text(deaf + SLEEPER)
    logs = LogFolder(folder)
    child = await ChildProcess.start(Program("sleeper", path=(folder,)), {}, logs["child"])
    assert await asyncio.to_thread(wait_until, lambda: awake(folder), seconds=10)
    await child.stop(grace_seconds=0.2)
    assert child.returncode == -signal.SIGKILL
    logs.close()


async def test_output_goes_to_the_log_and_to_whoever_listens(folder: Path) -> None:
    (folder / "sleeper.py").write_text("import sys\nprint('one')\nprint('two', file=sys.stderr)\n")
    shown: list[str] = []
    logs = LogFolder(folder, show=shown.append)
    child = await ChildProcess.start(Program("sleeper", path=(folder,)), {}, logs["child"])
    await asyncio.wait_for(child.exited.wait(), 10)
    assert sorted(logs["child"].path.read_text().split()) == ["one", "two"]
    assert sorted(shown) == ["child | one", "child | two"]
    assert logs["child"].last_words() in {"one", "two"}
    logs.close()


async def test_a_line_of_many_megabytes_stops_nothing(folder: Path) -> None:
    (folder / "sleeper.py").write_text("print('x' * 9_000_000)\nprint('after')\n")
    logs = LogFolder(folder)
    child = await ChildProcess.start(Program("sleeper", path=(folder,)), {}, logs["child"])
    await asyncio.wait_for(child.exited.wait(), 20)
    assert logs["child"].last_words() == "after"
    logs.close()


async def test_an_isolated_program_sees_neither_backend_nor_site_packages(folder: Path) -> None:
    (folder / "sleeper.py").write_text(
        "import importlib.util, sys\n"
        "print([importlib.util.find_spec(n) is not None for n in ('local', 'moto', 'sleeper')])\n"
    )
    logs = LogFolder(folder)
    program = Program("sleeper", path=(folder,), working_directory=folder, isolated=True)
    child = await ChildProcess.start(program, {}, logs["child"])
    await asyncio.wait_for(child.exited.wait(), 10)
    assert logs["child"].last_words() == "[False, False, True]"
    logs.close()


def test_an_exit_is_described() -> None:
    assert describe_exit(3) == "exit status 3"
    assert describe_exit(-9) == "signal SIGKILL"


async def test_a_child_finds_the_sources_without_the_first_folder_of_pythonpath(
    tmp_path: Path,
) -> None:
    """A debugger that follows a child replaces that folder."""
    logs = LogFolder(tmp_path)
    try:
        elsewhere = {"PYTHONPATH": str(tmp_path)}
        child = await ChildProcess.start(Program("local.options"), elsewhere, logs["child"])
        await asyncio.wait_for(child.exited.wait(), 60)
    finally:
        logs.close()
    assert child.returncode == 0
