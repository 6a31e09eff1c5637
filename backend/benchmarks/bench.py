"""Compares our code with its peers: `./pants run backend/benchmarks:bench -- cold warm size`.

All candidates are measured in turn in one run, and the results are ratios: the machine's speed
cancels out. Results go to docs/benchmarks/ and into the tables of docs/benchmarks.md.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import cold, packages, report, size, warm
from benchmarks.figure import Candidate, Figure, Packing
from benchmarks.surroundings import Surroundings

SUITES = ("cold", "warm", "size")
ROUNDS = 31


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites and return 0, or 1 where a target was missed."""
    options = _options(arguments)
    root = report.repository()
    console = Console(highlight=False, soft_wrap=True)
    if not options.no_build:
        packages.build(root)
    peers = packages.built(root, packages.PEERS)
    services = packages.built(root, packages.SERVICES)
    deployed = Candidate("api", Packing.COMPILED)
    scratch = Path(tempfile.mkdtemp(prefix="fin-advisor-bench-"))
    surroundings = Surroundings()
    misses: list[str] = []
    try:
        folders = packages.unpack(peers | {deployed: services[deployed]}, scratch)
        client = packages.runtime_client(scratch)
        suites: dict[str, Callable[[], Iterator[Figure]]] = {
            "cold": lambda: cold.measure(folders, client, surroundings, options.rounds),
            "warm": lambda: warm.measure(folders, client, surroundings, options.rounds),
            "size": lambda: size.measure(services | peers),
        }
        for suite in options.suites:
            figures = []
            for figure in suites[suite]():
                console.print(report.table(figure), markup=False)
                figures.append(figure)
                misses += figure.misses()
            if options.rounds >= ROUNDS:
                report.write_json(
                    root / "docs/benchmarks" / f"{suite}.json", figures, options.rounds
                )
                text = report.markdown(figures, options.rounds)
                report.write_page(root / "docs/benchmarks.md", suite, text)
    finally:
        surroundings.close()
        _remove(scratch)
    for miss in misses:
        console.print(f"missed: {miss}", markup=False)
    return 1 if misses else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=SUITES, metavar="SUITE", default=[])
    parser.add_argument(
        "--rounds",
        type=int,
        default=ROUNDS,
        help=f"counted starts of each candidate; below {ROUNDS}, results are printed only",
    )
    parser.add_argument("--no-build", action="store_true", help="measure the packages in dist/")
    options = parser.parse_args(arguments)
    options.suites = options.suites or list(SUITES)
    if options.rounds < 1:
        parser.error("--rounds: expects at least 1")
    return options


def _remove(folder: Path) -> None:
    # The unpacked packages are read-only.
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
