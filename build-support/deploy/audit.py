"""Audits the workflows: actionlint for what would not run, zizmor (pedantic) for what is unsafe."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy import linters
from deploy.program import REPOSITORY, Refused, parser, run


def zizmor_findings(folder: Path) -> str | None:
    """Return what zizmor has against the workflows and actions of a repository, or None."""
    # Offline: whether a pinned commit belongs to its tag is asked of GitHub, by Dependabot.
    options = ["--offline", "--no-progress", "--quiet", "--color=never", "--persona=pedantic"]
    return _findings([*linters.zizmor(), *options, "--strict-collection", str(folder / ".github")])


def actionlint_findings(folder: Path) -> str | None:
    """Return what actionlint has against the workflows of a repository, or None."""
    return _findings(linters.actionlint(folder / ".github" / "workflows"))


def _findings(command: Sequence[str]) -> str | None:
    done = subprocess.run(  # noqa: S603 - a linter that was found by its name
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return None if done.returncode == 0 else done.stdout.strip() or f"exit code {done.returncode}"


def main(arguments: Sequence[str]) -> None:
    """Run both linters and refuse any finding."""
    found = parser(__doc__, environment=False)
    found.add_argument("--repository", type=Path, default=REPOSITORY)
    given = found.parse_args(arguments)
    if given.dry_run:
        print("would audit .github with actionlint and zizmor")
        return
    linted = {"actionlint": actionlint_findings, "zizmor": zizmor_findings}
    problems = {name: lint(given.repository) for name, lint in linted.items()}
    for name, problem in problems.items():
        print(f"{name}: {problem or 'no findings'}")
    if failed := [name for name, problem in problems.items() if problem]:
        raise Refused(f"findings of {' and '.join(failed)}")


if __name__ == "__main__":
    run(main)
