"""The project's name is replaced everywhere, unless something is deployed under it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scaffold import rename
from scaffold.changes import REPOSITORY, Refused, git
from scaffold.tests.tree import copied, texts

NAME = "a-longer-name"
PARTS = ("backend/shared", "bootstrap", "pyproject.toml", "terraform")


def _project() -> str:
    name: str = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["name"]
    return name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A part of the repository in git, with a changelog and a file that is no text."""
    root = copied(tmp_path / "repository", *PARTS)
    for file in (root / "terraform/environments").glob("*.s3.tfbackend"):
        file.write_text(f'bucket = "{_project()}-tfstate-000000000000-us-east-1"\n')
    (root / "CHANGELOG.md").write_text(f"{_project()} began.\n")
    (root / "picture").write_bytes(b"\x00\xff")
    git(root, "init", "--quiet")
    _commit(root)
    return root


def _commit(root: Path) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false"]
    git(root, "add", "--all")
    git(root, *identity, "commit", "--quiet", "--message", "a")


def _with(root: Path, name: str) -> list[str]:
    """Return the files that contain a name in any case."""
    return sorted(path for path, text in texts(root).items() if name.encode() in text.lower())


def test_only_the_changelog_and_the_record_keep_the_old_name(root: Path) -> None:
    before = _with(root, _project())
    assert len(before) > 20
    rename.main([NAME], root)
    assert _with(root, _project()) == [".origin.json", "CHANGELOG.md"]
    assert _with(root, NAME) == [path for path in before if path != "CHANGELOG.md"]
    assert (root / "picture").read_bytes() == b"\x00\xff"


def test_python_is_formatted_for_the_new_length(root: Path) -> None:
    rename.main(["sixteen-letters1"], root)
    # Not the order of imports: this part of the repository lacks most of the files that they name.
    for command in (["format", "--check"], ["check", "--ignore", "I001"]):
        subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."], cwd=root, check=True
        )


def test_the_commit_is_recorded_once(root: Path) -> None:
    commit = git(root, "rev-parse", "HEAD").strip()
    rename.main([NAME], root)
    recorded = json.loads((root / ".origin.json").read_text())
    assert recorded == {"project": _project(), "commit": commit}
    _commit(root)
    rename.main(["another-name"], root)
    assert json.loads((root / ".origin.json").read_text()) == recorded


def test_the_commit_of_a_copy_without_history_can_be_named(root: Path) -> None:
    rename.main([NAME, "--commit", "0" * 40], root)
    assert json.loads((root / ".origin.json").read_text())["commit"] == "0" * 40


@pytest.mark.parametrize("name", ["Advisor", "ab", "a" * 17, "1-advisor", "advisor-", "a_b_c"])
def test_a_bad_name_is_refused(root: Path, name: str) -> None:
    _refuses(root, name, "is no name of a project")


def test_the_present_name_and_one_that_occurs_are_refused(root: Path) -> None:
    _refuses(root, _project(), "is called")
    _refuses(root, "lambda", "lambda occurs already in")


def test_changes_that_git_does_not_have_are_refused(root: Path) -> None:
    (root / "new").write_text("work")
    _refuses(root, NAME, "changes that git does not have")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("terraform/environments/dev.s3.tfbackend", 'bucket = "x-tfstate-123456789012-us-east-1"'),
        ("bootstrap/backend.tf", "terraform {}"),
        ("bootstrap/terraform.tfstate", "{}"),
    ],
)
def test_it_is_refused_where_something_is_deployed(root: Path, path: str, text: str) -> None:
    (root / path).write_text(text)
    _commit(root)
    _refuses(root, NAME, f"{path} shows that something is deployed")


def test_a_commit_has_forty_digits(root: Path) -> None:
    _refuses(root, NAME, "is not a full commit id", "--commit", "abc")


def _refuses(root: Path, name: str, complaint: str, *options: str) -> None:
    before = texts(root)
    with pytest.raises(Refused, match=complaint):
        rename.main([name, *options], root)
    assert texts(root) == before
