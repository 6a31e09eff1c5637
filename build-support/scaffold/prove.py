"""Proves in a copy of the repository that a new service is complete, and a renamed project whole.

`./pants run build-support/scaffold:prove -- PART`. The part `service` adds a service and runs
tests, lint and types; `estate` packages it, and serves it from sources and as Terraform creates
it; `rename` gives the copy another name and runs its tests. Each takes up to an hour.
"""

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from scaffold.changes import REPOSITORY, Refused, git
from scaffold.program import run

_SERVICE: Final = "billing"
_NAME: Final = "acme-advisor"
_MOST_CHANGED: Final = 3
_START_SECONDS: Final = 900
_STOP_SECONDS: Final = 60
# Without its daemon, Pants leaves no process behind in a copy that is deleted.
_ENVIRONMENT: Final = {**os.environ, "PANTS_PANTSD": "false"}


def service(copy: Path) -> None:
    """Add a service, run all that could name it, and remove it again."""
    _add(copy)
    _pants(
        copy,
        "test",
        f"backend/{_SERVICE}::",
        "backend/services::",
        "terraform::",
        "build-support::",
    )
    for goal in ("lint", "check", "dependencies"):
        _pants(copy, goal, "::")
    _pants(copy, "run", "build-support/scaffold:remove_service", "--", _SERVICE)
    _require(not git(copy, "status", "--porcelain"), "remove_service left files or lines behind")


def estate(copy: Path) -> None:
    """Package a new service and serve it."""
    _add(copy)
    _pants(copy, "package", f"backend/{_SERVICE}:zip")
    _require((copy / "dist" / f"{_SERVICE}.zip").is_file(), f"dist/{_SERVICE}.zip is missing")
    _serve(copy)
    _serve(copy, "--terraform")


def rename(copy: Path) -> None:
    """Give the copy another name, and run its tests."""
    _pants(copy, "run", "build-support/scaffold:rename", "--", _NAME)
    origin = (copy / ".origin.json").read_text(encoding="utf-8")
    _require(git(copy, "rev-parse", "HEAD").strip() in origin, "the origin is not recorded")
    _commit(copy)
    _require(not git(copy, "status", "--porcelain"), "rename left changes behind")
    for goal in ("lint", "check", "test"):
        _pants(copy, goal, "::")


PARTS: Final[Mapping[str, Callable[[Path], None]]] = {
    "service": service,
    "estate": estate,
    "rename": rename,
}


def _add(copy: Path) -> None:
    _pants(copy, "run", "build-support/scaffold:new_service", "--", _SERVICE, "--calls", "chat")
    changed = git(copy, "diff", "--name-only").split()
    _require(len(changed) <= _MOST_CHANGED, f"existing files changed: {', '.join(changed)}")


def _serve(copy: Path, *options: str) -> None:
    """Start the estate, and ask for the new service's health, directly and by `/api/test`."""
    file = copy / "estate.env"
    command = ["./pants", "run", "backend/local:up", "--", "--port", "0", *options]
    command += ["--env-file", str(file)]
    print("+", *command, flush=True)
    started = subprocess.Popen(command, cwd=copy, env=_ENVIRONMENT, start_new_session=True)  # noqa: S603
    try:
        variables = _variables(file, started)
        url, headers = variables["API_GATEWAY_URL"], {"x-api-key": variables["API_KEY"]}
        health = _get(f"{url}/{_SERVICE}/health", headers)
        _require(health.get("service") == _SERVICE, f"/{_SERVICE}/health answered {health}")
        seen = _get(f"{url}/api/test", headers)
        healthy = seen.get("services", {}).get(_SERVICE, {}).get("healthy")
        _require(healthy is True, f"/api/test answered {seen}")
        print(f"{_SERVICE} is healthy, and /api/test covers it", flush=True)
    finally:
        os.killpg(started.pid, signal.SIGINT)
        started.wait(timeout=_STOP_SECONDS)


def _variables(file: Path, started: subprocess.Popen[bytes]) -> dict[str, str]:
    """Wait for the file that the estate writes once it is ready."""
    deadline = time.monotonic() + _START_SECONDS
    while not file.exists():
        _require(started.poll() is None, f"the estate ended with {started.returncode}")
        _require(time.monotonic() < deadline, f"the estate was not ready after {_START_SECONDS} s")
        time.sleep(0.5)
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = (line.removeprefix("export ").partition("=") for line in lines)
    return {name: value.strip("'\"") for name, _, value in pairs}


def _get(url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    answer = httpx.get(url, headers=headers, timeout=httpx.Timeout(35), trust_env=False)
    _require(answer.status_code == 200, f"{url} answered {answer.status_code}: {answer.text[:200]}")
    content: dict[str, Any] = answer.json()
    return content


def _pants(copy: Path, *arguments: str) -> None:
    print("+ ./pants", *arguments, flush=True)
    done = subprocess.run(["./pants", *arguments], cwd=copy, env=_ENVIRONMENT, check=False)  # noqa: S603
    _require(done.returncode == 0, f"./pants {' '.join(arguments)} failed")


def _require(condition: object, problem: str) -> None:
    if not condition:
        raise Refused(problem)


def _copied(folder: Path) -> Path:
    """Copy the files that git has or would have, as a repository of their own."""
    copy = folder / "repository"
    listed = git(REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for path in sorted({*listed.split("\0")} - {""}):
        if (REPOSITORY / path).exists():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / path, copy / path, follow_symlinks=False)
    git(copy, "init", "--quiet")
    _commit(copy)
    return copy


def _commit(copy: Path) -> None:
    identity = ("-c", "user.name=prove", "-c", "user.email=prove@example.com")
    git(copy, "add", "--all")
    git(copy, *identity, "-c", "commit.gpgsign=false", "commit", "--quiet", "--message", "Copy")


def main(arguments: Sequence[str]) -> None:
    """Run a part in a new copy, and delete the copy."""
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("part", choices=tuple(PARTS))
    args = cli.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        PARTS[args.part](_copied(Path(folder)))
    print(f"{args.part}: proven")


if __name__ == "__main__":
    run(main)
