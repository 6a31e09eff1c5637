"""The packages that are compared, built in this run and unpacked."""

import importlib.metadata
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ZIPS: Final = {
    "api": "dist/api.zip",
    "chat": "dist/chat.zip",
    "s3vector": "dist/s3vector.zip",
    "api-stock": "dist/stock/api.zip",
    "chat-stock": "dist/stock/chat.zip",
    "subject": "dist/benchmarks/subject.zip",
    "powertools": "dist/stock/benchmarks/powertools.zip",
    "plain": "dist/stock/benchmarks/plain.zip",
    "instrumented": "dist/stock/benchmarks/instrumented.zip",
}
_TARGETS: Final = (
    "backend/api:",
    "backend/chat:",
    "backend/s3vector:",
    "backend/runner:pex",
    "backend/benchmarks/subject:",
    "backend/benchmarks/peers/powertools:",
    "backend/benchmarks/peers/plain:",
    "backend/benchmarks/peers/instrumented:",
)


@dataclass(frozen=True)
class Package:
    """A built package and where it is unpacked."""

    name: str
    zip: Path
    folder: Path

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
    """Build all packages with the repository's own command.

    Raises:
        subprocess.CalledProcessError: The build failed; it has said why.
    """
    command = [str(root / "pants"), "--tag=[]", "package", *_TARGETS]
    subprocess.run(command, cwd=root, check=True)  # noqa: S603 - our own launcher


def unpack(root: Path, scratch: Path) -> dict[str, Package]:
    """Unpack every package into a folder of its own, read-only as `/var/task` is."""
    packages = {}
    for name, relative in _ZIPS.items():
        folder = scratch / name
        with zipfile.ZipFile(root / relative) as archive:
            archive.extractall(folder)
        for path in folder.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        packages[name] = Package(name, root / relative, folder)
    return packages


def runtime_client(scratch: Path) -> Path:
    """Copy AWS's runtime client, compiled, into a folder that holds nothing else.

    On Lambda it lies beside the interpreter and is compiled already.
    """
    import compileall

    folder = scratch / "runtime-client"
    folder.mkdir()
    # Its extension module `runtime_client` lies beside the package.
    for name in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        for file in importlib.metadata.files(name) or ():
            if file.suffix in {".py", ".so"} and ".." not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    compileall.compile_dir(folder, quiet=2)
    return folder
