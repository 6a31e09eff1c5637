"""The graph of first-party imports, and the cycles in it."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Final

# The source roots of pants.toml. Longest first, because build-support/packer is inside another.
_SOURCE_ROOTS: Final = ("build-support/packer", "build-support", "backend", "terraform")

# For each file, the first-party files that it imports, and the line of the first import of each.
# Paths are relative to the repository.
type Graph = Mapping[str, Mapping[str, int]]


def import_graph(repository: Path) -> Graph:
    """Read the imports of every first-party module, wherever they are in the module.

    Imports inside functions and under `TYPE_CHECKING` count. An import of a submodule does not
    count as an import of its parent packages, and `importlib.import_module` is not seen.
    """
    modules = [
        (_module_name(path), path)
        for root in _SOURCE_ROOTS
        for path in _python_files(repository, root)
    ]
    files = dict(modules)
    graph: dict[str, dict[str, int]] = {}
    for name, path in modules:
        imported = graph.setdefault(path, {})
        for line, target in _imported_names(repository / path, name):
            # `from a import b`: b is a module, or a name that the module a defines.
            found = files.get(target) or files.get(target.rpartition(".")[0])
            if found is not None:
                imported.setdefault(found, line)
    return graph


def cycles(graph: Graph) -> list[list[str]]:
    """Return import cycles as chains of files, each ending with the file it begins with.

    Each cycle is cut at its first import before the next one is searched for, so that every group
    of files that import each other appears at least once.
    """
    remaining = {path: dict(imported) for path, imported in graph.items()}
    found: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(remaining).prepare()
        except CycleError as error:
            # graphlib lists the imported file before the one that imports it.
            cycle = error.args[1][::-1]
            found.append(cycle)
            del remaining[cycle[0]][cycle[1]]
        else:
            return found


def describe(cycle: list[str], graph: Graph) -> str:
    """Return a cycle as text: one import a line, with its file and line number."""
    steps = [f"  {path}:{graph[path][target]} imports {target}" for path, target in pairwise(cycle)]
    return "\n".join(["import cycle:", *steps])


def _python_files(repository: Path, root: str) -> Iterator[str]:
    for path in sorted((repository / root).rglob("*.py")):
        relative = path.relative_to(repository).as_posix()
        if _source_root(relative) == root:
            yield relative


def _source_root(path: str) -> str:
    return next(root for root in _SOURCE_ROOTS if path.startswith(f"{root}/"))


def _module_name(path: str) -> str:
    inside = path.removeprefix(f"{_source_root(path)}/").removesuffix(".py")
    return inside.removesuffix("/__init__").replace("/", ".")


def _imported_names(path: Path, module: str) -> Iterator[tuple[int, str]]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes(), path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = [*(parents if node.level else ()), *([node.module] if node.module else ())]
            for alias in node.names:
                yield node.lineno, ".".join([*base, alias.name])
