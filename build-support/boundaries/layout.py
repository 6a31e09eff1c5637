"""Checks in which folders modules and tests are, and in which direction they import.

Each check returns its findings as sentences, and an empty list if there are none.
"""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Any, Final

from boundaries.imports import Graph

# The packages whose BUILD file orders their subpackages in `_LEVELS`.
LEVELLED: Final = ("backend/client", "backend/local", "backend/shared")
_MOST_MODULES: Final = 16
_ONE_LINE: Final = re.compile(r"[^\n]+[^.\n]\.")
_SENTENCE_INSIDE: Final = re.compile(r"[.!?] +[A-Z]")


def wrong_directions(repository: Path, package: str, graph: Graph) -> list[str]:
    """Return the imports that go against the `_LEVELS` of a package's BUILD file.

    `./pants dependencies ::` enforces the same rules. This check also names a module that no level
    covers, which Pants would let import anything.
    """
    build = ast.parse((repository / package / "BUILD").read_bytes())
    levels = [[package + path for path in level] for level in _constant(build, "_LEVELS")]
    outside = [path.removeprefix("//") for path in _constant(build, "_OUTSIDE")]
    problems = []
    for path in sorted(graph):
        if not path.startswith(f"{package}/") or is_test(path):
            continue
        level = next((n for n, paths in enumerate(levels) if _matches(path, paths)), None)
        if level is None:
            problems.append(f"{path}: add it to a level of _LEVELS in {package}/BUILD")
            continue
        allowed = [*outside, *chain.from_iterable(levels[: level + 1])]
        # The package's own __init__.py exports names lazily; its imports are for type checkers.
        if path != f"{package}/__init__.py":
            problems += [
                f"{path}:{line} imports {target}, which is not on its level of _LEVELS or below"
                for target, line in graph[path].items()
                if not _matches(target, allowed)
            ]
    return problems


def crowded(repository: Path, package: str) -> list[str]:
    """Return a problem if a package has too many modules outside its subpackages."""
    count = len(list((repository / package).glob("*.py")))
    if count <= _MOST_MODULES:
        return []
    return [f"{package} has {count} modules (at most {_MOST_MODULES}): move some to subpackages"]


def undescribed_packages(repository: Path) -> list[str]:
    """Return the packages whose `__init__.py` is missing or does not begin with one sentence."""
    problems = []
    for package in _packages(repository):
        init = repository / package / "__init__.py"
        text = ast.get_docstring(ast.parse(init.read_bytes())) if init.exists() else None
        summary = (text or "").partition("\n\n")[0]
        if not _ONE_LINE.fullmatch(summary) or _SENTENCE_INSIDE.search(summary):
            problems.append(f"{package}/__init__.py: say in one sentence what the package is for")
    return problems


def misplaced_tests(repository: Path) -> list[str]:
    """Return the backend's test files that are not in the `tests/` of the package they test."""
    problems = []
    for path in sorted((repository / "backend").rglob("test_*.py")):
        file = path.relative_to(repository)
        if "tests" not in file.parts[:-1]:
            problems.append(f"{file}: move it to the folder tests/ of its package")
            continue
        package = Path(*file.parts[: file.parts.index("tests")])
        if not (repository / package / "__init__.py").exists():
            problems.append(f"{file}: {package} is not a package")
        subject = file.name.removeprefix("test_")
        homes = {
            home.parent.relative_to(repository)
            for home in (repository / package).rglob(subject)
            if not is_test(home.relative_to(repository).as_posix())
        }
        if homes and package not in homes:
            problems.append(f"{file}: move it to {min(homes)}/tests, next to {subject}")
    return problems


def is_test(path: str) -> bool:
    """Return whether a file is a test or belongs to tests."""
    return "tests" in path.split("/")[:-1] or path.endswith("/conftest.py")


def _packages(repository: Path) -> Iterator[str]:
    backend = repository / "backend"
    folders = [*backend.iterdir(), *(f for p in LEVELLED for f in (repository / p).rglob("*"))]
    for folder in sorted(folders):
        name = folder.relative_to(repository).as_posix()
        if any(folder.glob("*.py")) and "tests" not in name.split("/"):
            yield name


def _constant(build: ast.Module, name: str) -> list[Any]:
    for node in build.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return list(ast.literal_eval(node.value))
    raise ValueError(f"the BUILD file does not assign a literal list to {name}")


def _matches(path: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)
