"""The program itself: a few requests to a real estate."""

import re
import subprocess
import sys

import psutil
import pytest

from local.blueprint import SERVICES
from local.compute.processes import BACKEND, Program


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.load", *arguments],
        env=Program("benchmarks.load").environment(),
        cwd=BACKEND,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_a_few_requests_end_by_their_number_without_an_error_and_leave_no_process() -> None:
    before = {one.pid for one in psutil.process_iter()}
    ran = run("--minutes", "3", "--warm-up", "0", "--users", "2", "--requests", "60")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "It ended early, after 60 requests." in ran.stdout
    assert " 0 errors" in ran.stdout
    served = re.findall(r"\| `(\w+ /[^`]+)` \| \d+ \|", ran.stdout)
    assert len(served) > 3
    for name in (*SERVICES, "launcher"):
        assert re.search(rf"^\| {name} \| [\d.]+ → [\d.]+ \|", ran.stdout, re.MULTILINE), name
    left = [one for one in psutil.process_iter() if one.pid not in before and _is_estate(one)]
    assert not left


def _is_estate(process: psutil.Process) -> bool:
    try:
        return any("fin-advisor-load-" in part for part in process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


@pytest.mark.parametrize(
    "arguments",
    [
        ["--minutes", "0"],
        ["--users", "1000"],
        ["--requests", "100000"],
    ],
)
def test_a_load_without_bounds_is_refused(arguments: list[str]) -> None:
    ran = run(*arguments)
    assert ran.returncode == 2
    assert arguments[0] in ran.stderr
