"""Copies of the repository, and comparisons of folders."""

import shutil
from pathlib import Path

from scaffold.changes import REPOSITORY

_PARTS = (
    "backend",
    "bootstrap",
    "build-support",
    "terraform",
    "pyproject.toml",
    "services.json",
    "services.schema.json",
)
_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".terraform", "*.tfstate*", "*.zip", "dist")


def copied(folder: Path, *parts: str) -> Path:
    """Copy the repository, or parts of it, to a new folder."""
    folder.mkdir()
    for part in parts or _PARTS:
        source, target = REPOSITORY / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=_LEFT_OUT)
        elif source.exists():
            shutil.copy(source, target)
    return folder


def texts(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {"__pycache__", ".git"} & set(path.parts)
    }
