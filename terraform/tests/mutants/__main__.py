"""Makes mistakes in copies of Terraform's files, one at a time, and names what nothing notices.

`./pants run terraform/tests/mutants -- [--suite fast|all] [--only NAME]... [--table FILE]`. With
`all`, the apply test tries what the fast suites miss. Exits with 1 if too few are noticed: less
than 95 % by the fast suites, or one by none of all. The list is mistakes.toml.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.mistakes import Mistake, MistakeError, read
from tests.suites import FastSuites, caught_by_apply

_WANTED_FAST: Final = 0.95
_CELL: Final = 150


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--suite", choices=["fast", "all"], default="fast")
    parser.add_argument("--only", action="append", metavar="NAME", help="one mistake's name")
    parser.add_argument("--table", type=Path, help="file to write the table of results to")
    options = parser.parse_args(arguments)
    mistakes = read()
    if options.only:
        if unknown := set(options.only) - {mistake.name for mistake in mistakes}:
            parser.error(f"no mistake is named {', '.join(sorted(unknown))}")
        mistakes = [mistake for mistake in mistakes if mistake.name in options.only]
    try:
        caught = _try(mistakes, options.suite)
    except MistakeError as error:
        print(error, file=sys.stderr)
        return 1
    if options.table:
        options.table.write_text(table(caught))
    return report(caught, options.suite)


def _try(mistakes: Sequence[Mistake], suite: str) -> dict[Mistake, str | None]:
    caught: dict[Mistake, str | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        fast = FastSuites(Path(folder) / "fast")
        for number, mistake in enumerate(mistakes, start=1):
            begin = time.monotonic()
            caught[mistake] = fast.catch(mistake)
            seconds = time.monotonic() - begin
            verdict = caught[mistake] or "MISSED by the fast suites"
            print(
                f"{number}/{len(mistakes)} {mistake.name} ({seconds:.0f} s): {verdict}", flush=True
            )
        if suite == "all":
            missed = [mistake for mistake, by in caught.items() if by is None]
            caught |= caught_by_apply(missed, Path(folder))
    return caught


def report(caught: Mapping[Mistake, str | None], suite: str) -> int:
    """Print the counts and the survivors, and return the exit code."""
    survivors = [mistake for mistake, by in caught.items() if by is None]
    by_apply = sum(by is not None and by.startswith("apply") for by in caught.values())
    by_fast = len(caught) - len(survivors) - by_apply
    print(f"{len(caught)} mistakes: {by_fast} noticed by the fast suites, {by_apply} by the apply")
    for mistake in survivors:
        print(f"not noticed: {mistake.name} ({mistake.file})")
    enough = by_fast >= _WANTED_FAST * len(caught)
    if not enough:
        print(f"the fast suites have to notice {_WANTED_FAST:.0%}")
    return 0 if enough and not (suite == "all" and survivors) else 1


def table(caught: Mapping[Mistake, str | None]) -> str:
    """Return the results as a page of Markdown."""
    rows = "".join(
        f"| {mistake.name} | `{mistake.file}` | {_cell(by)} |\n" for mistake, by in caught.items()
    )
    missed = sum(by is None for by in caught.values())
    return _HEAD + f"{len(caught)} mistakes, {missed} unnoticed.\n\n" + _COLUMNS + rows


_HEAD: Final = """\
# Mistakes in Terraform's files, and the first check that fails with each

`./pants run terraform/tests/mutants -- --suite all --table docs/mutants.md` writes this page. The
list is `terraform/tests/mutants/mistakes.toml`. [requirements-closed.md](requirements-closed.md)
says what a table, a rule and a suite is.

"""
_COLUMNS: Final = "| mistake | file | noticed by |\n|---|---|---|\n"


def _cell(by: str | None) -> str:
    if by is None:
        return "**nothing**"
    text = by if len(by) <= _CELL else by[:_CELL].rstrip() + " …"
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"


if __name__ == "__main__":
    sys.exit(main())
