"""Runs packaged services as Lambda does: unpacked to read-only folders, without our sources."""

import importlib.metadata
import os
import shutil
import stat
import zipfile
from pathlib import Path

from local.blueprint import LAMBDA_SERVICES
from local.compute.processes import Program
from services.declared import CONTAINERS

PACKAGED_HANDLER = "lambda_function.handler"

# Lambda's image contains the runtime client and its dependencies; a zip does not.
_RUNTIME_DISTRIBUTIONS = ("awslambdaric", "snapshot_restore_py", "simplejson")


def packaged_programs(packages: Path, run_dir: Path) -> dict[str, Program]:
    """The program of each service by its name. Zips are unpacked under `run_dir`; a container's
    program is there only if `packages` has its `.pex`.
    """
    runtime = runtime_folder(run_dir / "var" / "runtime")
    programs = {
        service: packaged_program(
            packages / f"{service}.zip", run_dir / "var" / "task" / service, runtime
        )
        for service in LAMBDA_SERVICES
    }
    for service in CONTAINERS:
        pex = (packages / f"{service}.pex").absolute()
        if pex.is_file():
            folder = packages.absolute()
            programs[service] = Program(str(pex), working_directory=folder, isolated=True)
    return programs


def packaged_program(package: Path, task: Path, runtime: Path) -> Program:
    """The program of the function in the zip `package`, which is unpacked to the new folder `task`.
    `runtime` is a folder with the runtime client.
    """
    with zipfile.ZipFile(package) as archive:
        archive.extractall(task)
    _make_read_only(task)
    return Program("awslambdaric", (PACKAGED_HANDLER,), (task, runtime), task, isolated=True)


def remove_tree(folder: Path) -> None:
    """Remove `folder`, even if it contains read-only folders."""
    for directory, _, _ in os.walk(folder):
        Path(directory).chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


def runtime_folder(folder: Path) -> Path:
    """Create `folder` with links to the installed runtime client and its dependencies."""
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
