"""Copies of the code in temporary folders, and the evaluation run in them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

BACKEND: Final = Path(__file__).resolve().parents[1]
TIMEOUT_SECONDS: Final = 600

# The evaluation's own code and sets stay the same, whatever the code that they measure.
_MEASURING: Final = ("evaluation", "local", "services")
# `services` reads it.
_SERVICES: Final = BACKEND.parent / "services.json"
_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "tests", "benchmarks", ".*")


class EvaluationFailed(RuntimeError):
    """The evaluation of a copy did not run to its end."""


@contextmanager
def copied() -> Iterator[Path]:
    """Give a copy of the backend without its tests."""
    with tempfile.TemporaryDirectory(prefix="fin-advisor-evaluation-") as folder:
        backend = Path(folder) / "backend"
        shutil.copytree(BACKEND, backend, ignore=_LEFT_OUT)
        shutil.copy(_SERVICES, folder)
        yield backend


@contextmanager
def checked_out(ref: str, *, backend: Path = BACKEND) -> Iterator[Path]:
    """Give the backend of a git ref, with today's evaluation and local estate in it.

    Args:
        ref: A commit, branch or tag.
        backend: The backend in the repository that has the ref.

    Raises:
        EvaluationFailed: git does not know the ref.
    """
    with tempfile.TemporaryDirectory(prefix="fin-advisor-evaluation-") as folder:
        tree = Path(folder) / "tree"
        _git(backend, "worktree", "add", "--detach", "--quiet", str(tree), ref)
        try:
            for name in _MEASURING:
                shutil.rmtree(tree / "backend" / name, ignore_errors=True)
                shutil.copytree(BACKEND / name, tree / "backend" / name, ignore=_LEFT_OUT)
            shutil.copy(_SERVICES, tree)
            yield tree / "backend"
        finally:
            _git(backend, "worktree", "remove", "--force", str(tree))


def evaluate_copy(backend: Path, options: Sequence[str] = ()) -> dict[str, Any]:
    """Run the evaluation of a copy in a process of its own, and return its report as JSON.

    Raises:
        EvaluationFailed: It wrote no report.
    """
    # Pants adds the sources by PEX_EXTRA_SYS_PATH, anybody else by PYTHONPATH.
    environment = os.environ | {"PYTHONPATH": str(backend), "PEX_EXTRA_SYS_PATH": str(backend)}
    with tempfile.TemporaryDirectory(prefix="fin-advisor-evaluation-") as folder:
        path = Path(folder) / "report.json"
        command = [sys.executable, "-m", "evaluation.evaluate", "--json", str(path), *options]
        ended = subprocess.run(  # noqa: S603
            command,
            cwd=backend,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        if not path.exists():
            raise EvaluationFailed(
                f"The evaluation wrote no report:\n{ended.stderr.strip()[-2000:]}"
            )
        report: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return report


def _git(folder: Path, *arguments: str) -> None:
    git = shutil.which("git")
    if git is None:
        raise EvaluationFailed("git is not installed; --compare needs it")
    ended = subprocess.run(  # noqa: S603
        [git, "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if ended.returncode:
        raise EvaluationFailed(f"git {' '.join(arguments[:2])}: {ended.stderr.strip()}")
