"""The advisories that pip-audit finds for locked packages, and the packages it cannot check."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

_SECONDS = 900


class CouldNotAskError(Exception):
    """The advisory database did not answer; the message says why."""


@dataclass(frozen=True)
class Vulnerability:
    """A known vulnerability of a locked package."""

    package: str
    version: str
    id: str
    fixed_in: Sequence[str]

    def __str__(self) -> str:
        fixed = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no fix yet"
        return f"{self.package} {self.version}: {self.id}, {fixed}"


class Auditor(Protocol):
    """Audits a requirements file and returns what pip-audit printed."""

    def __call__(self, requirements: Path) -> subprocess.CompletedProcess[str]: ...


def locked(lock: str) -> dict[str, str]:
    """Return the packages of a Pants lock file: name and version."""
    document = json.loads(re.sub(r"(?m)^//.*$", "", lock))
    return {
        requirement["project_name"]: requirement["version"]
        for resolve in document["locked_resolves"]
        for requirement in resolve["locked_requirements"]
    }


def pip_audit(requirements: Path) -> subprocess.CompletedProcess[str]:
    """Run pip-audit, which asks the Python Packaging Advisory Database about each package."""
    options = ["--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off"]
    return subprocess.run(  # noqa: S603 - the program is fixed
        [sys.executable, "-m", "pip_audit", f"--requirement={requirements}", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )


def vulnerabilities(
    packages: Mapping[str, str], auditor: Auditor = pip_audit
) -> list[Vulnerability]:
    """Return the known vulnerabilities of packages.

    Raises:
        CouldNotAskError: There was no answer, or none about some of the packages.
    """
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        lines = [f"{name}=={version}\n" for name, version in sorted(packages.items())]
        requirements.write_text("".join(lines), encoding="utf-8")
        try:
            done = auditor(requirements)
        except subprocess.TimeoutExpired:
            raise CouldNotAskError(f"no answer within {_SECONDS} s") from None
    try:
        answered = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        # pip-audit's exit code is 1 for findings and for errors alike.
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise CouldNotAskError(last[:500]) from None
    _require_all(packages, answered)
    return [
        Vulnerability(one["name"], one["version"], found["id"], found.get("fix_versions", []))
        for one in answered
        for found in one["vulns"]
    ]


def _require_all(packages: Mapping[str, str], answered: Sequence[Mapping[str, Any]]) -> None:
    """Raise if a package has no answer: pip-audit skips one that it does not find, and passes."""
    asked = {_normal(name) for name in packages}
    missing = sorted(asked - {_normal(one["name"]) for one in answered if "vulns" in one})
    if missing:
        names = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        raise CouldNotAskError(f"no answer about {len(missing)} of {len(asked)} packages: {names}")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
