"""A git ref is evaluated with today's evaluation, and leaves nothing behind."""

import shutil
import subprocess
from pathlib import Path

import pytest

from evaluation.checkout import EvaluationFailed, checked_out


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A repository whose last commit differs from its working tree."""
    backend = tmp_path / "backend"
    for folder in (backend / "chat", backend / "evaluation"):
        folder.mkdir(parents=True)
        (folder / "code.py").write_text("old")
    for arguments in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "x"],
    ):
        subprocess.run([shutil.which("git") or "git", *arguments], cwd=tmp_path, check=True)
    (backend / "chat" / "code.py").write_text("new")
    return backend


def test_a_ref_is_the_code_of_then_and_the_evaluation_of_today(backend: Path) -> None:
    with checked_out("HEAD", backend=backend) as folder:
        assert (folder / "chat" / "code.py").read_text() == "old"
        assert not (folder / "evaluation" / "code.py").exists()
        assert (folder / "evaluation" / "evaluate.py").exists()
    assert not folder.exists()
    assert not list((backend.parent / ".git" / "worktrees").glob("*"))


def test_an_unknown_ref_is_named(backend: Path) -> None:
    with (
        pytest.raises(EvaluationFailed, match="no-such-ref"),
        checked_out("no-such-ref", backend=backend),
    ):
        pass
