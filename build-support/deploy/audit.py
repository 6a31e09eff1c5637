"""Audits the workflows: actionlint for what would not run, zizmor (pedantic) for what is unsafe."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from deploy import linters
from deploy.program import REPOSITORY, Refused, parser, run

# `file:line:column message [ rule ]`, in the forms of both builds of actionlint.
_FINDING: Final = re.compile(
    r"^(?P<file>\S+?):\d+:\d+:? (?P<message>.+) \[ ?[\w-]+ ?\]$", re.MULTILINE
)


def zizmor_findings(folder: Path) -> str | None:
    """Return what zizmor has against the workflows and actions of a repository, or None."""
    # Offline: whether a pinned commit belongs to its tag is asked of GitHub, by Dependabot.
    options = ["--offline", "--no-progress", "--quiet", "--color=never", "--persona=pedantic"]
    return _output([*linters.zizmor(), *options, "--strict-collection", ".github"], folder)


def actionlint_findings(folder: Path) -> str | None:
    """Return what actionlint has against the workflows of a repository, or None.

    The build for Node does not read .github/actionlint.yaml, so what that ignores is left out here.
    """
    output = _output(linters.actionlint(folder), folder)
    if output is None:
        return None
    ignored = _ignored(folder / ".github" / "actionlint.yaml")
    findings = list(_FINDING.finditer(output))
    if findings and all(
        any(re.search(pattern, found["message"]) for pattern in ignored.get(found["file"], ()))
        for found in findings
    ):
        return None
    return output


def _ignored(settings: Path) -> dict[str, list[str]]:
    if not settings.is_file():
        return {}
    content: Any = yaml.safe_load(settings.read_text(encoding="utf-8"))
    return {path: item["ignore"] for path, item in content["paths"].items()}


def _output(command: Sequence[str], folder: Path) -> str | None:
    done = subprocess.run(  # noqa: S603 - a linter that was found by its name
        command,
        cwd=folder,
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
