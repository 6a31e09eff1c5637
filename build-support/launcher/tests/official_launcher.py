"""A fake of Pants' official launcher: runs ./pants when that one would, and fails otherwise.

The conditions are those of `src/main.rs` in pantsbuild/scie-pants.
"""

import os
import sys
import tomllib
from pathlib import Path


def main(arguments: list[str]) -> None:
    root = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if is_root(folder))
    for name, value in dotenv(root / ".env").items():
        os.environ.setdefault(name, value)
    config = tomllib.loads((root / "pants.toml").read_text())
    version = os.environ.get("PANTS_VERSION") or config["GLOBAL"].get("pants_version")
    if version or not config["DEFAULT"].get("delegate_bootstrap"):
        sys.exit(f"would download Pants {version or 'of a version that it asks for'}")
    os.environ["SCIE"] = os.environ["SCIE_ARGV0"] = sys.argv[0]
    os.execv(root / "pants", [str(root / "pants"), *arguments])  # noqa: S606


def is_root(folder: Path) -> bool:
    return (folder / "pants.toml").is_file()


def dotenv(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = [line.removeprefix("export ").partition("=") for line in lines]
    return {name: value.strip("'\"") for name, _, value in pairs}


if __name__ == "__main__":
    main(sys.argv[1:])
