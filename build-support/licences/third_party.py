"""Writes THIRD_PARTY.md from the built packages: `./pants package ::` comes first."""

import argparse
from pathlib import Path

from licences.document import render
from licences.packages import notices, packages

_DOCUMENT = Path("THIRD_PARTY.md")


def shipped(folder: Path) -> list[Path]:
    """Return the archives that are deployed: the functions' zips, and what the image contains."""
    # Beside them Pants puts the test's own environment, a folder named *.pex.
    found = [*folder.glob("*.zip"), *folder.glob("*.pex")]
    return sorted(path for path in found if path.is_file())


def main() -> None:
    """Write the document, or explain what is missing."""
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--packages", type=Path, default=Path("dist"), help="folder of the packages")
    cli.add_argument("--output", type=Path, default=_DOCUMENT)
    args = cli.parse_args()
    archives = shipped(args.packages)
    if not archives:
        cli.error(f"{args.packages} contains no packages: run ./pants package :: first")
    # The zips leave licence files out; the stock packages that they are made of have them.
    unabridged = [*archives, *sorted((args.packages / "stock").glob("*.zip"))]
    args.output.write_text(render(packages(archives), notices(unabridged)), encoding="utf-8")
    print(f"wrote {args.output}")


if __name__ == "__main__":
    main()
