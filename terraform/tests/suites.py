"""The suites that should notice a mistake: fast ones without AWS, and the apply test."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from local.terraform.layer_copy import REPOSITORY
from tests.estate import block_differences, plan_differences
from tests.harness import Layer, TerraformError
from tests.mistakes import Mistake
from tests.plans import mocked_layer

_APPLY_TESTS: Final = "terraform/tests/test_apply.py"
_COPIED: Final = ("backend", "bootstrap", "build-support", "terraform")
_FILES: Final = ("pyproject.toml", "services.json", "services.schema.json")
_NOT_COPIED: Final = shutil.ignore_patterns(".terraform", "*.tfstate*", "__pycache__", "dist")


class FastSuites:
    """One copy of each layer, in which mistakes are made and taken back one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._layers: dict[str, Layer] = {}

    def catch(self, mistake: Mistake) -> str | None:
        """Return the first check that fails with the mistake, and how; None if none does."""
        layer = self._layer(mistake.layer)
        with mistake.made(layer.folder):
            return next(_failures(layer), None)

    def _layer(self, name: str) -> Layer:
        if name not in self._layers:
            self._layers[name] = mocked_layer(name, self._folder / name)
        return self._layers[name]


def _failures(layer: Layer) -> Iterator[str]:
    """Yield the failures of a layer, checks that take less time first."""
    for line in block_differences(layer):
        yield f"table of blocks: {line}"
    try:
        for plan, topic, lines in plan_differences(layer):
            for line in lines:
                yield f"table of {topic}, plan {plan}: {line.partition(': ')[2]}"
    except TerraformError as error:
        yield f"plan: {_first_line(error)}"
    for path in sorted(layer.folder.glob("tests/*.tftest.hcl")):
        if path.name != "environment.tftest.hcl":
            yield from _suite_failures(layer, path.name)
    for folder in sorted(layer.folder.glob("modules/*/tests")):
        yield from _suite_failures(layer, "", folder.parent)


def _suite_failures(layer: Layer, name: str, folder: Path | None = None) -> Iterator[str]:
    where = [f"-chdir={folder}"] if folder else []
    try:
        if folder:
            layer.run(*where, "init", "-backend=false", "-no-color")
        options = [f"-filter=tests/{name}"] if name else []
        layer.run(*where, "test", "-no-color", *options)
    except TerraformError as error:
        failed = re.findall(r'run "(\w+)"\.\.\. fail', str(error))
        yield f"suite {name or folder}: {', '.join(failed) or _first_line(error)}"


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if "Error" in line or line.strip()]
    return next((line for line in lines if "Error" in line), lines[0] if lines else "")[:160]


def caught_by_apply(mistakes: Sequence[Mistake], folder: Path) -> dict[Mistake, str | None]:
    """Return for each mistake whether the apply test fails with it.

    All are made at once; where the test then fails, each half is tried by itself, and so on.
    """
    if not mistakes:
        return {}
    failed = _apply(mistakes, folder)
    if failed is None:
        return dict.fromkeys(mistakes)
    if len(mistakes) == 1:
        return {mistakes[0]: failed}
    half = len(mistakes) // 2
    return {
        **caught_by_apply(mistakes[:half], folder),
        **caught_by_apply(mistakes[half:], folder),
    }


def _apply(mistakes: Sequence[Mistake], folder: Path) -> str | None:
    copy = folder / "repository"
    shutil.rmtree(copy, ignore_errors=True)
    for name in _COPIED:
        shutil.copytree(REPOSITORY / name, copy / name, ignore=_NOT_COPIED, symlinks=True)
    for name in _FILES:
        shutil.copy(REPOSITORY / name, copy)
    with ExitStack() as made:
        for mistake in mistakes:
            made.enter_context(mistake.made(copy / mistake.layer))
        paths = [str(copy / Path(p).relative_to(REPOSITORY)) if _ours(p) else p for p in sys.path]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", _APPLY_TESTS],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if done.returncode == 0:
        return None
    found = re.findall(r"^(?:FAILED|ERROR) \S+::(\S+)", done.stdout, re.MULTILINE)
    return f"apply: {', '.join(found) or done.stdout.strip().splitlines()[-1]}"


def _ours(path: str) -> bool:
    return Path(path).is_relative_to(REPOSITORY)
