"""Lints the workflows: actionlint finds errors, zizmor (pedantic) finds security problems."""

import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.program import REPOSITORY, Refused, parser, run

# Both are wheels from the lock file. This actionlint is the maintained fork: the original supports
# neither `queue` nor `$/` and has had no release since they were introduced.
LINTERS: Final = {
    "actionlint": ("-no-color",),
    # Offline: Dependabot checks that a pinned commit belongs to its tag.
    "zizmor": (
        "--offline",
        "--no-progress",
        "--quiet",
        "--color=never",
        "--persona=pedantic",
        "--strict-collection",
        ".github",
    ),
}


def findings(linter: str, repository: Path) -> str | None:
    """Return a linter's findings in a repository's workflows and actions, or None.

    Without a `.git` folder, actionlint does not check the repository's own actions.
    """
    program = Path(sysconfig.get_path("scripts"), linter)
    done = subprocess.run(  # noqa: S603 - the program is fixed
        [str(program), *LINTERS[linter]],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return None if done.returncode == 0 else done.stdout.strip() or f"exit code {done.returncode}"


def main(arguments: Sequence[str]) -> None:
    """Run both linters; any finding is an error."""
    cli = parser(__doc__, environment=False)
    cli.add_argument("--repository", type=Path, default=REPOSITORY)
    args = cli.parse_args(arguments)
    if args.dry_run:
        print(f"would audit .github with {' and '.join(LINTERS)}")
        return
    failed = []
    for linter in LINTERS:
        problem = findings(linter, args.repository)
        print(f"{linter}: {problem or 'no findings'}")
        if problem:
            failed.append(linter)
    if failed:
        raise Refused(f"findings of {' and '.join(failed)}")


if __name__ == "__main__":
    run(main)
