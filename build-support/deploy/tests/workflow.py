"""Reads the repository's workflows, and runs the `run:` steps of a job.

`uses:` steps are left out, or replaced by a function of the test. An expression without a value is
an error, so that no new expression goes unnoticed.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

REPOSITORY: Final = Path(__file__).resolve().parents[3]
FOLDER: Final = REPOSITORY / ".github" / "workflows"

_EXPRESSION: Final = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")

# Runs `./pants run build-support/deploy:NAME -- ARGUMENTS` with the tests' own Python.
_PANTS: Final = """\
#!/usr/bin/env bash
set -euo pipefail
[[ $1 == run && $2 == build-support/deploy:* ]] || { echo "pants $*"; exit 0; }
program=${2#*:}; shift 2; [[ ${1:---} == -- ]] && shift || true
exec "$PYTHON" -m "deploy.$program" "$@" $MORE_ARGUMENTS
"""


@dataclass(frozen=True)
class Step:
    """One step of a job."""

    workflow: str
    job: str
    name: str
    run: str | None
    uses: str | None
    condition: str
    identifier: str | None
    variables: Mapping[str, str]


def workflows() -> dict[str, dict[str, Any]]:
    """Return every workflow by the name of its file."""
    return {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yml"))}


def steps(workflow: str) -> Iterator[Step]:
    """Yield the steps of a workflow's jobs, each with the variables of workflow, job and step."""
    document = workflows()[workflow]
    for name, job in document["jobs"].items():
        for step in job.get("steps", []):
            yield Step(
                workflow=workflow,
                job=name,
                name=step["name"],
                run=step.get("run"),
                uses=step.get("uses"),
                condition=str(step.get("if", "success()")),
                identifier=step.get("id"),
                variables={
                    key: str(value)
                    for key, value in (
                        *document.get("env", {}).items(),
                        *job.get("env", {}).items(),
                        *step.get("env", {}).items(),
                    )
                },
            )


def evaluate(text: str, values: Mapping[str, str]) -> str:
    """Replace each `${{ expression }}` by its value."""
    return _EXPRESSION.sub(lambda match: values[match[1]], text)


def install(checkout: Path) -> None:
    """Write a `./pants` to a checkout that runs the deploy programs of that checkout."""
    script = checkout / "pants"
    script.write_text(_PANTS)
    script.chmod(0o755)


def python_path(checkout: Path) -> str:
    """Return the PYTHONPATH of a checkout's programs, absolute: they run in the checkout."""
    return os.pathsep.join([str(checkout / "build-support"), *map(os.path.abspath, sys.path)])


def run_step(
    step: Step,
    checkout: Path,
    values: Mapping[str, str],
    environment: Mapping[str, str],
    more_arguments: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a step's command in a checkout with bash, as GitHub does."""
    assert step.run is not None
    variables = {name: evaluate(value, values) for name, value in step.variables.items()}
    return subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", evaluate(step.run, values)],
        cwd=checkout,
        env={
            "PATH": os.environ["PATH"],
            "PYTHON": sys.executable,
            "PYTHONPATH": python_path(checkout),
            "MORE_ARGUMENTS": shlex.join(more_arguments),
            **environment,
            **variables,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass
class JobRun:
    """The result of a job: the outcome and the output of each step, by its name."""

    outcomes: dict[str, str] = field(default_factory=dict)
    printed: dict[str, str] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        return "failure" not in self.outcomes.values()


def run_job(
    workflow: str,
    job: str,
    checkout: Path,
    *,
    values: Mapping[str, str],
    environment: Mapping[str, str],
    actions: Mapping[str, Callable[[], None]],
    watch: Callable[[str], None] = lambda name: None,
) -> JobRun:
    """Run a job of a workflow, step by step.

    Args:
        workflow: Name of the workflow's file.
        job: Name of the job.
        checkout: Folder in which the commands run.
        values: Value of every expression except `steps.….outputs.…`.
        environment: Variables that GitHub's machine and earlier actions set.
        actions: Functions that replace `uses:` steps, by the action's name without its commit.
            Other actions do nothing.
        watch: Called with the name of each step before it runs.
    """
    done = JobRun()
    outputs: dict[str, str] = {}
    identified: dict[str, str] = {}
    for step in steps(workflow):
        if step.job != job:
            continue
        if not _applies(step.condition, done, identified):
            outcome = "skipped"
        elif step.run is None:
            actions.get((step.uses or "").partition("@")[0], lambda: None)()
            outcome = "success"
        else:
            watch(step.name)
            written = checkout / "github-output"
            written.write_text("")
            result = run_step(
                step,
                checkout,
                {**_missing_outputs(step), **values, **outputs},
                {**environment, "GITHUB_OUTPUT": str(written)},
            )
            done.printed[step.name] = result.stdout + result.stderr
            outcome = "success" if result.returncode == 0 else "failure"
            for line in written.read_text().splitlines():
                name, _, value = line.partition("=")
                outputs[f"steps.{step.identifier}.outputs.{name}"] = value
        done.outcomes[step.name] = outcome
        if step.identifier:
            identified[step.identifier] = outcome
    return done


def _missing_outputs(step: Step) -> dict[str, str]:
    """Return empty values for the outputs that a step uses, as GitHub has for unset ones."""
    text = " ".join([step.run or "", *step.variables.values()])
    return {name: "" for name in _EXPRESSION.findall(text) if name.startswith("steps.")}


_AFTER_FAILURE: Final = (
    "(failure() || cancelled()) && steps.apply.outcome != '' && steps.apply.outcome != 'skipped'"
)


def _applies(condition: str, done: JobRun, identified: Mapping[str, str]) -> bool:
    if condition == _AFTER_FAILURE:
        return not done.succeeded and identified.get("apply", "skipped") != "skipped"
    if condition in ("success()", "vars.RUNNER_PLATFORM != 'lambda'"):
        return done.succeeded
    if condition == "inputs.environment != 'prod'":
        return done.succeeded
    # The rehearsal's repository is private, and its environment is dev.
    if condition in ("env.REQUIRE_ATTESTATION == 'true'", "inputs.environment == 'prod'"):
        return False
    raise ValueError(f"the condition {condition!r} is not evaluated here")
