"""The packaged services: unpacked to read-only folders, and run as Lambda runs them."""

import importlib.metadata
import os
import shutil
import stat
import zipfile
from pathlib import Path

from local.blueprint import LAMBDA_SERVICES
from local.compute.processes import Program

PACKAGED_HANDLER = "lambda_function.handler"

# What Lambda's own image brings: the runtime client and what it needs.
_RUNTIME_DISTRIBUTIONS = ("awslambdaric", "snapshot_restore_py", "simplejson")


def packaged_programs(packages: Path, run_dir: Path) -> dict[str, Program]:
    """A program for each service that `packages` has a zip of (or `runner.pex`), unpacked under
    `run_dir`.
    """
    runtime = _runtime(run_dir / "var" / "runtime")
    programs = {
        service: packaged_program(
            packages / f"{service}.zip", run_dir / "var" / "task" / service, runtime
        )
        for service in LAMBDA_SERVICES
    }
    pex = (packages / "runner.pex").absolute()
    if pex.is_file():
        programs["runner"] = Program(str(pex), working_directory=packages.absolute(), isolated=True)
    return programs


def packaged_program(package: Path, task: Path, runtime: Path) -> Program:
    """The function in `package`, unpacked to the new folder `task`; `runtime` has the runtime
    client.
    """
    with zipfile.ZipFile(package) as archive:
        archive.extractall(task)
    _make_read_only(task)
    return Program("awslambdaric", (PACKAGED_HANDLER,), (task, runtime), task, isolated=True)


def remove_tree(folder: Path) -> None:
    """Remove it, read-only folders too."""
    for directory, _, _ in os.walk(folder):
        Path(directory).chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


def _runtime(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in _RUNTIME_DISTRIBUTIONS:
        distribution = importlib.metadata.distribution(name)
        tops = {Path(str(file)).parts[0] for file in distribution.files or ()}
        for top in tops - {"..", "__pycache__"}:
            source = Path(str(distribution.locate_file(top))).absolute()
            if source.exists() and not top.endswith(".dist-info"):
                (folder / top).symlink_to(source)
    return folder


def _make_read_only(folder: Path) -> None:
    for directory, _, files in os.walk(folder, topdown=False):
        for file in files:
            (Path(directory) / file).chmod(0o444)
        Path(directory).chmod(0o555)
