"""Measurements against peers: `./pants run backend/benchmarks:bench -- cold warm size line estate`.

Each figure is taken side by side with its peers in one run, in turn, and quoted as a ratio: the
machine's speed cancels out. Results go to docs/benchmarks/.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import cold, estate, line, packages, report, size, warm
from benchmarks.series import Comparison
from benchmarks.surroundings import Surroundings

SUITES = ("cold", "warm", "size", "line", "estate")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites and return 0, or 1 where a target was missed."""
    options = _options(arguments)
    root = _root()
    console = Console(highlight=False)
    if not options.no_build:
        packages.build(root)
    scratch = Path(tempfile.mkdtemp(prefix="fin-advisor-bench-"))
    around = Surroundings()
    misses: list[str] = []
    try:
        built = packages.unpack(root, scratch)
        client = packages.runtime_client(scratch)
        suites: dict[str, Callable[[], Iterator[Comparison]]] = {
            "cold": lambda: cold.measure(built, client, around, options.rounds),
            "warm": lambda: warm.measure(built, client, around, options.rounds),
            "size": lambda: size.measure(built),
            "line": lambda: line.measure(options.rounds),
            "estate": lambda: estate.measure(root, scratch, options.rounds),
        }
        for name in options.suites:
            comparisons = []
            for comparison in suites[name]():
                comparisons.append(comparison)
                console.print(report.markdown([comparison]).split("|---|---|---|---|---|\n")[1])
            report.write(name, comparisons, root / options.out)
            misses += [miss for one in comparisons for miss in one.misses()]
    finally:
        around.close()
        _remove(scratch)
    for miss in misses:
        console.print(f"missed: {miss}")
    return 1 if misses else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=SUITES, metavar="SUITE", default=[])
    parser.add_argument(
        "--rounds",
        type=int,
        default=10,
        help="counted rounds of each figure (warm: thrice as many)",
    )
    parser.add_argument("--out", default="docs/benchmarks", help="folder of the results")
    parser.add_argument("--no-build", action="store_true", help="measure what lies in dist/")
    options = parser.parse_args(arguments)
    options.suites = options.suites or list(SUITES)
    if options.rounds < 1:
        parser.error("--rounds: expects at least 1")
    return options


def _root() -> Path:
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "pants.toml").is_file():
            return folder
    raise SystemExit("bench: run it inside the repository")


def _remove(folder: Path) -> None:
    # The unpacked packages are read-only.
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
