"""Audits the workflows: actionlint for what would not run, zizmor (pedantic) for what is unsafe."""

import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.program import REPOSITORY, Refused, parser, run

# Both are wheels of the lock file. actionlint is the maintained fork: the original knows neither
# `queue` nor `$/`, and has had no release since both came.
LINTERS: Final = {
    "actionlint": ("-no-color",),
    # Offline: whether a pinned commit belongs to its tag is asked of GitHub, by Dependabot.
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
    """Return what one of the linters has against a repository's workflows and actions, or None.

    The repository has a `.git`: without one actionlint looks at none of its own actions.
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
    """Run both linters and refuse any finding."""
    found = parser(__doc__, environment=False)
    found.add_argument("--repository", type=Path, default=REPOSITORY)
    given = found.parse_args(arguments)
    if given.dry_run:
        print(f"would audit .github with {' and '.join(LINTERS)}")
        return
    failed = []
    for linter in LINTERS:
        problem = findings(linter, given.repository)
        print(f"{linter}: {problem or 'no findings'}")
        if problem:
            failed.append(linter)
    if failed:
        raise Refused(f"findings of {' and '.join(failed)}")


if __name__ == "__main__":
    run(main)
