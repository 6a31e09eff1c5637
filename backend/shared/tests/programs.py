"""Runs programs in new processes, because a process has only one tracer provider."""

import os
import subprocess
import sys
import textwrap


def run(program: str, **environment: str) -> list[str]:
    """Run a program with only these variables; return its lines. A warning makes it fail."""
    # Lambda does not end its functions in an orderly way, so their connections stay open.
    options = ["-W", "error", "-W", "ignore:unclosed <socket:ResourceWarning"]
    ended = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert ended.stderr == ""
    return ended.stdout.splitlines()
