"""The workflows pass both linters, and every command in them runs."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.audit import LINTERS, findings
from deploy.tests.workflow import FOLDER, REPOSITORY, Step, install, run_step, steps, workflows

GITHUB = REPOSITORY / ".github"
PINNED = re.compile(r"uses: ([\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$")
COMMAND = re.compile(
    r"\./pants (?:(?P<goal>lint|check|dependencies|test|package) ::"
    r"|'--tag=\[\]' package (?P<image>backend/runner:image)"
    r"|run backend/local:up -- --demo --port 0"
    r"|run build-support/deploy:(?P<program>\w+)(?: --(?P<arguments> .+))?)"
    r"|\.ci/run (?P<steps>[\w' \"$]+)"
)

VALUES = {
    "github.event_name == 'pull_request'": "true",
    "github.ref_name": "v1.2.3",
    "github.ref_type == 'tag' && github.ref_name || github.sha": "v1.2.3",
    "github.token": "token",
    "inputs.allow_replace": 'aws_s3_bucket.main["jobs"]',
    "inputs.environment": "prod",
    "inputs.release": "v1.2.3",
    "inputs.sha256": "0" * 64,
    "matrix.environment": "dev",
    "matrix.step": "mutants",
    "needs.build.outputs.release || needs.fetch.outputs.release": "v1.2.3",
    "steps.approval.outputs.by": "ada",
    "steps.approval.outputs.release": "v1.2.3",
    "steps.image.outputs.image": "repository@sha256:" + "0" * 64,
    "vars.ALARM_EMAILS || '[]'": "[]",
    "vars.ECR_RUNNER_REPOSITORY": (
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner"
    ),
    "vars.RUNNER_PLATFORM || 'apprunner'": "apprunner",
}

ALL_STEPS = [step for name in workflows() for step in steps(name)]
COMMANDS = [step for step in ALL_STEPS if step.run is not None]


def _named(step: Step) -> str:
    return f"{step.workflow}-{step.job}-{step.name}"


def _jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, document in workflows().items():
        for job, content in document["jobs"].items():
            yield name, job, content


def _sources() -> Iterator[Path]:
    yield from sorted(FOLDER.glob("*.yml"))
    yield from sorted((GITHUB / "actions").rglob("*.yml"))


# --- Linters --------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the workflows and actions to another repository, which is linted as a whole."""
    shutil.copytree(GITHUB, tmp_path / ".github")
    (tmp_path / ".git").mkdir()
    return tmp_path


@pytest.mark.parametrize("linter", LINTERS)
def test_a_linter_has_no_findings(linter: str, copy: Path) -> None:
    assert findings(linter, copy) is None


@pytest.mark.parametrize("linter", LINTERS)
def test_no_finding_of_a_linter_is_ignored(linter: str) -> None:
    assert not list(GITHUB.glob(f"{linter}.y*ml"))
    assert not [path for path in _sources() if f"{linter}:" in path.read_text()]


@pytest.mark.parametrize(
    ("linter", "mistake", "finding"),
    [
        ("actionlint", ("drift.yml", "matrix.environment", "matrix.envirnoment"), "envirnoment"),
        ("actionlint", ("ci.yml", "save: ", "svae: "), 'input "svae" is not defined'),
        ("actionlint", ("deploy.yml", "sha256: ${{ n", "sha: ${{ n"), '"sha256" is required'),
        ("actionlint", ("deploy-environment.yml", "queue: max", "queue: all"), 'value "all"'),
        ("zizmor", ("ci.yml", "pull_request:", "pull_request_target:"), "dangerous-triggers"),
        ("zizmor", ("deploy.yml", " # to create the release", ""), "undocumented-permissions"),
    ],
)
def test_a_linter_finds_a_mistake(
    copy: Path, linter: str, mistake: tuple[str, str, str], finding: str
) -> None:
    """The linters really run: they find a mistake in the same workflow."""
    name, text, instead = mistake
    path = copy / ".github" / "workflows" / name
    good = path.read_text()
    path.write_text(good.replace(text, instead))
    assert path.read_text() != good
    assert finding in (findings(linter, copy) or "")


# --- Rules of this repository ---------------------------------------------------------------------


@pytest.mark.parametrize("path", list(_sources()), ids=lambda path: path.stem)
def test_every_action_is_pinned_by_commit_with_its_version(path: Path) -> None:
    lines = [line.strip().removeprefix("- ") for line in path.read_text().splitlines()]
    used = [line for line in lines if line.startswith("uses:")]
    assert used
    wrong = [
        line for line in used if not line.startswith("uses: $/.github/") and not PINNED.match(line)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", list(workflows()))
def test_nothing_is_granted_to_a_whole_workflow(name: str) -> None:
    assert workflows()[name]["permissions"] == {}


@pytest.mark.parametrize(("workflow", "job", "content"), list(_jobs()))
def test_a_token_for_aws_is_granted_only_where_a_role_is_assumed(
    workflow: str, job: str, content: dict[str, Any]
) -> None:
    asks = content["permissions"].get("id-token") == "write" if content["permissions"] else False
    assumes = any(
        str(step.get("uses", "")).startswith("aws-actions/configure-aws-credentials@")
        for step in content.get("steps", [])
    )
    calls_deploy = str(content.get("uses", "")).endswith("/deploy-environment.yml")
    assert asks == (assumes or calls_deploy or job == "attest")
    # The roles trust GitHub environments only, so a job without one cannot assume a role.
    assert assumes == ("environment" in content)


@pytest.mark.parametrize(("workflow", "job", "content"), list(_jobs()))
def test_every_job_ends_by_itself(workflow: str, job: str, content: dict[str, Any]) -> None:
    assert "uses" in content or content["timeout-minutes"] <= 60


def test_no_stored_credential_is_used() -> None:
    for path in _sources():
        assert "secrets." not in path.read_text()


@pytest.mark.parametrize("name", ["deploy-environment.yml", "drift.yml"])
def test_a_deploy_and_the_drift_report_plan_with_the_same_addresses(name: str) -> None:
    """Set for the whole workflow, they come from the repository's variables. In a job they would
    come from its environment, and the drift report runs in `plan`.
    """
    document = workflows()[name]
    assert document["env"]["TF_VAR_alarm_emails"] == "${{ vars.ALARM_EMAILS || '[]' }}"
    [job] = document["jobs"].values()
    assert "TF_VAR_alarm_emails" not in job["env"]


def test_one_job_requires_all_others_of_ci() -> None:
    jobs = workflows()["ci.yml"]["jobs"]
    assert set(jobs["passed"]["needs"]) == set(jobs) - {"passed"}
    assert jobs["passed"]["if"] == "always()"


def test_a_deploy_is_never_cancelled_and_its_environment_has_one_at_a_time() -> None:
    deploy = workflows()["deploy-environment.yml"]["jobs"]["deploy"]["concurrency"]
    assert deploy == {
        "group": "deploy-${{ inputs.environment }}",
        "cancel-in-progress": False,
        "queue": "max",  # otherwise a later deploy replaces one that waits
    }
    for name in ("deploy.yml", "drift.yml"):
        assert workflows()[name]["concurrency"]["cancel-in-progress"] is False


def test_every_environment_gets_the_same_files_by_hash() -> None:
    jobs = workflows()["deploy.yml"]["jobs"]
    inputs = {name: jobs[name]["with"] for name in ("dev", "test", "prod")}
    assert {name: given.pop("environment") for name, given in inputs.items()} == {
        name: name for name in inputs
    }
    assert inputs["dev"] == inputs["test"] == inputs["prod"]
    # Terraform is checked out by commit, since the tag could have been moved.
    [checkout] = [
        step
        for step in workflows()["deploy-environment.yml"]["jobs"]["deploy"]["steps"]
        if step.get("uses", "").startswith("actions/checkout@")
    ]
    assert checkout["with"]["ref"] == "${{ inputs.commit }}"
    # The files are verified before the job assumes a role.
    order = [step.name for step in steps("deploy-environment.yml")]
    assert order.index("Verify it against its manifest") < order.index(
        "Assume the environment's role"
    )


def _before(jobs: dict[str, Any], name: str) -> set[str]:
    """Return all jobs that a job needs, directly or indirectly."""
    needed = set(jobs[name].get("needs", []))
    return needed.union(*(_before(jobs, other) for other in needed))


@pytest.mark.parametrize(
    ("job", "before"),
    [("publish", "attest"), ("dev", "fetch"), ("test", "dev"), ("prod", "test")],
)
def test_a_job_that_ran_out_of_time_has_not_passed(job: str, before: str) -> None:
    """GitHub reports such a job as cancelled, not as failed, and skips the jobs after it."""
    jobs = workflows()["deploy.yml"]["jobs"]
    condition = "!cancelled() && !failure() && !contains(needs.*.result, 'cancelled') && "
    assert jobs[job]["if"].startswith(condition)
    # `needs` contains the results of the jobs that a job names itself, and of no others.
    assert before in jobs[job]["needs"]
    assert set(jobs[job]["needs"]) == _before(jobs, job)


def test_a_release_that_an_environment_refuses_can_be_deployed_again() -> None:
    """Only a published release can be deployed again, so publishing must not wait for a deploy."""
    jobs = workflows()["deploy.yml"]["jobs"]
    deploys = {name for name, job in jobs.items() if "uses" in job}
    assert deploys == {"dev", "test", "prod"}
    assert not deploys & _before(jobs, "publish")
    refusal = (REPOSITORY / "build-support" / "deploy" / "plan.py").read_text()
    by_hand = (FOLDER / "deploy.yml").read_text().partition("workflow_dispatch:")[2]
    for name in re.findall(r"input `(\w+)`", refusal):
        assert f"      {name}:\n" in by_hand.partition("\npermissions:")[0]
    assert "workflow Deploy" in refusal
    assert workflows()["deploy.yml"]["name"] == "Deploy"


def test_a_deploy_is_planned_applied_tested_promoted_and_tested_again() -> None:
    programs = [
        (match["program"], "--staged" in step.run)
        for step in steps("deploy-environment.yml")
        if step.run is not None and (match := COMMAND.fullmatch(step.run))
    ]
    assert [name + " --staged" * staged for name, staged in programs] == [
        "manifest", "approval", "image", "plan", "apply", "log_retention",
        "smoke --staged", "promote", "smoke", "rollback", "smoke",
    ]  # fmt: skip


# --- Commands -------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", COMMANDS, ids=_named)
def test_a_command_is_one_call_of_pants_or_of_steps_of_ci_run(step: Step) -> None:
    assert step.run is not None
    assert COMMAND.fullmatch(step.run), step.run
    # Values reach a command through variables only, so that a value cannot inject a command.
    assert "${{" not in step.run


def _ci_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = str(REPOSITORY / ".ci" / "run")
    return subprocess.run(
        [script, "--dry-run", *arguments], capture_output=True, text=True, check=False
    )


def test_ci_runs_every_step_of_a_developers_ci_run() -> None:
    """A job runs a step by its name, or by the same call of Pants."""
    script = (REPOSITORY / ".ci" / "run").read_text()
    every = set(re.findall(r"^would run: (.+)$", _ci_run().stdout, re.MULTILINE))
    assert len(every) > 10
    calls = re.compile(
        r"^ *step '(.+)' (?:no_output |without_old_reports )?(\./pants .+)$", re.MULTILINE
    )
    called = [step.run for step in COMMANDS if step.workflow == "ci.yml" and step.run]
    run = {name for name, call in calls.findall(script) if call in called}
    for command in called:
        if command.startswith(".ci/run "):
            run.update(shlex.split(command)[1:])
    assert every - run == set()


def test_the_nightly_job_runs_every_step_of_ci_run_nightly() -> None:
    every = re.findall(r"^would run: (.+)$", _ci_run("nightly").stdout, re.MULTILINE)
    job = workflows()["nightly.yml"]["jobs"]["slow"]
    assert job["strategy"]["matrix"]["step"] == every
    assert [step.run for step in steps("nightly.yml") if step.run][-1] == '.ci/run nightly "$STEP"'


def test_ci_run_alone_runs_nothing_of_the_night() -> None:
    day, night = (set(_ci_run(*mode).stdout.splitlines()) for mode in ((), ("nightly",)))
    assert day
    assert night
    assert not day & night


def test_ci_run_refuses_a_step_that_it_does_not_have() -> None:
    done = _ci_run("lint", "reproducible")
    assert done.returncode == 1
    assert done.stdout == "would run: lint\nfailed: no step is named 'reproducible'\n"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "build-support").mkdir()
    (folder / "build-support" / "deploy").symlink_to(REPOSITORY / "build-support" / "deploy")
    (folder / ".ci").symlink_to(REPOSITORY / ".ci")
    install(folder)
    return folder


@pytest.mark.parametrize("step", COMMANDS, ids=_named)
def test_a_command_runs(step: Step, checkout: Path) -> None:
    """Each program accepts its arguments. With --dry-run, because some would change an account."""
    assert step.run is not None
    if step.run.startswith(".ci/run "):  # the steps would run this test again
        step = replace(step, run=step.run.replace(".ci/run", ".ci/run --dry-run"))
    program = "run build-support/deploy:" in (step.run or "")
    environment = {"GITHUB_SHA": "0" * 40, "PYTHONDONTWRITEBYTECODE": "1"}
    done = run_step(step, checkout, VALUES, environment, ("--dry-run",) if program else ())
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert not program or "Traceback" not in done.stderr


def test_every_program_of_the_pipeline_is_called_by_a_workflow() -> None:
    """A program that is not called would break unnoticed."""
    called = {
        match["program"]
        for step in COMMANDS
        if step.run is not None and (match := COMMAND.fullmatch(step.run))
    }
    folder = REPOSITORY / "build-support" / "deploy"
    programs = {
        path.stem for path in folder.glob("*.py") if "\n    run(main)\n" in path.read_text()
    }
    assert called - {None} == programs
