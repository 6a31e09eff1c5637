"""Builds and unpacks the packages that the benchmarks compare."""

import compileall
import importlib.metadata
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.figure import OURS, Candidate, Packing
from services.declared import SERVICES as DECLARED

PEERS: Final = {
    OURS: "benchmarks/subject",
    "Powertools": "benchmarks/powertools",
    "FastAPI, Mangum": "benchmarks/plain",
    "FastAPI, Mangum, FastAPIInstrumentor": "benchmarks/instrumented",
}
SERVICES: Final = {name: name for name in DECLARED}
_FOLDERS: Final = {Packing.COMPILED: "dist", Packing.PLAIN: "dist/stock"}
_TARGETS: Final = (
    *(f"backend/{service}:zip" for service in SERVICES),
    *(f"backend/{service}:stock" for service in SERVICES),
    "backend/benchmarks/subject:",
    "backend/benchmarks/peers/powertools:",
    "backend/benchmarks/peers/plain:",
    "backend/benchmarks/peers/instrumented:",
)


@dataclass(frozen=True)
class Package:
    """A built package."""

    zip: Path

    @property
    def zipped_bytes(self) -> int:
        """The size that Lambda downloads."""
        return self.zip.stat().st_size

    @property
    def unzipped_bytes(self) -> int:
        """The size that Lambda limits to 250 MB."""
        with zipfile.ZipFile(self.zip) as archive:
            return sum(entry.file_size for entry in archive.infolist())


def build(root: Path) -> None:
    """Build all packages with `./pants package`.

    Raises:
        subprocess.CalledProcessError: The build failed; its output says why.
    """
    command = [str(root / "pants"), "--tag=[]", "package", *_TARGETS]
    subprocess.run(command, cwd=root, check=True)  # noqa: S603 - our own launcher


def built(root: Path, outputs: Mapping[str, str]) -> dict[Candidate, Package]:
    """Return both packages of each output: `outputs` maps a name to a path in `dist/`."""
    return {
        Candidate(name, packing): Package(root / folder / f"{output}.zip")
        for name, output in outputs.items()
        for packing, folder in _FOLDERS.items()
    }


def unpack(packages: Mapping[Candidate, Package], scratch: Path) -> dict[Candidate, Path]:
    """Unpack every package into a folder of its own, read-only as `/var/task` is."""
    folders = {}
    for number, (candidate, package) in enumerate(packages.items()):
        folder = folders[candidate] = scratch / str(number)
        with zipfile.ZipFile(package.zip) as archive:
            archive.extractall(folder)
        for path in folder.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
    return folders


def runtime_client(scratch: Path) -> Path:
    """Copy AWS's runtime client, compiled, into a folder with nothing else in it.

    On Lambda the runtime client is installed beside the interpreter and is already compiled, so
    compiling it must not count as part of a cold start.
    """
    folder = scratch / "runtime-client"
    folder.mkdir()
    # All files of the distributions: the extension module `runtime_client` is outside the package.
    for name in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        for file in importlib.metadata.files(name) or ():
            if file.suffix in {".py", ".so"} and ".." not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    compileall.compile_dir(folder, quiet=2)
    return folder
