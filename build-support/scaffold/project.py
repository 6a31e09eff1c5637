"""Gives the project another name, everywhere in the repository."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scaffold.changes import Changes, Refused, git

ORIGIN: Final = ".origin.json"

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,14}[a-z0-9]")  # as in terraform/variables.tf
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
# The account that the backend files name before bootstrap/ is applied.
_NO_ACCOUNT: Final = "-000000000000-"
# What happened under the old name, and where the repository came from.
_KEPT: Final = ("CHANGELOG.md", ORIGIN)


def renaming(root: Path, name: str, commit: str | None = None) -> Changes:
    """Return the changes that replace the project's name.

    Args:
        root: The repository.
        name: The new name.
        commit: The commit that the repository came from; by default the one checked out.

    Raises:
        Refused: The name is bad or occurs already, something is deployed, or git has changes.
    """
    old = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    if not _NAME.fullmatch(name):
        raise Refused(
            f"{name!r} is no name of a project: write 3 to 16 lower-case letters, digits and "
            "hyphens, beginning with a letter, such as acme-advisor"
        )
    if name == old:
        raise Refused(f"the project is called {name} already")
    if commit is not None and not _COMMIT.fullmatch(commit):
        raise Refused(f"--commit: {commit!r} is not a full commit id")
    if files := deployed(root):
        raise Refused(
            f"{', '.join(files)} shows that something is deployed. A new name replaces every "
            "resource, also buckets and tables with their data: destroy the environments first, "
            "or keep the name"
        )
    if git(root, "status", "--porcelain"):
        raise Refused("there are changes that git does not have: commit them, to be able to undo")
    texts = dict(_texts(root))
    word = _word(name)
    if found := [path for path, text in texts.items() if word.search(text) and _is_ours(path)]:
        raise Refused(
            f"{name} occurs already in {', '.join(found[:3])}: a later rename could not tell the "
            "two apart; choose another name"
        )
    changes = Changes(root)
    for path, text in texts.items():
        renamed = _word(old).sub(name, text)
        if renamed != text:
            changes.edit(path, lambda _, path=path, text=renamed: _formatted(root, path, text))  # type: ignore[misc]
    if not (root / ORIGIN).exists():
        origin = {"project": old, "commit": commit or git(root, "rev-parse", "HEAD").strip()}
        changes.create(ORIGIN, json.dumps(origin, indent=2) + "\n")
    return changes


def deployed(root: Path) -> list[str]:
    """Return the files that exist, or name an account, only after something was deployed."""
    written = ["bootstrap/backend.tf"]  # Written by the first apply, with accounts/*.s3.tfbackend.
    written += [f"{layer}/terraform.tfstate" for layer in ("bootstrap", "terraform")]
    backends = sorted((root / "terraform/environments").glob("*.s3.tfbackend"))
    return [
        *(path for path in written if (root / path).exists()),
        *(
            file.relative_to(root).as_posix()
            for file in backends
            if _NO_ACCOUNT not in file.read_text(encoding="utf-8")
        ),
    ]


def _texts(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the text files of the repository, except those that keep the old name."""
    for path in git(root, "ls-files", "-z").split("\0"):
        file = root / path
        if not path or path in _KEPT or file.is_symlink() or not file.is_file():
            continue
        content = file.read_bytes()
        if b"\0" not in content:
            yield path, content.decode()


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", re.IGNORECASE)


def _is_ours(path: str) -> bool:
    """Return whether a name in the file is one of the project; the others show examples."""
    return not path.endswith(".md") and not path.startswith("build-support/scaffold/")


def _formatted(root: Path, path: str, text: str) -> str:
    """Return Python code as Ruff formats it: a name of another length can move line breaks."""
    if not path.endswith(".py"):
        return text
    command = [sys.executable, "-m", "ruff", "format", "--force-exclude", "--stdin-filename", path]
    done = subprocess.run(  # noqa: S603 - the program is fixed
        [*command, "-"], cwd=root, input=text, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Refused(f"{path} cannot be formatted: {done.stderr.strip()}")
    return done.stdout
