"""The workflows pass both linters, and every command in them runs."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from deploy import attestation
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
    r"|\.ci/next"
)

VALUES = {
    "!github.event.repository.private && startsWith(inputs.release, 'v')": "true",
    "github.event_name == 'pull_request'": "true",
    "github.event.pull_request.number": "7",
    "github.ref_name": "v1.2.3",
    "github.ref_type == 'tag' && github.ref_name || github.sha": "v1.2.3",
    "github.token": "token",
    "inputs.allow_replace": 'aws_s3_bucket.main["jobs"]',
    "inputs.contract": "false",
    "inputs.environment": "prod",
    "inputs.release": "v1.2.3",
    "inputs.sha256": "0" * 64,
    "matrix.environment": "dev",
    "matrix.step": "mutants",
    "needs.build.outputs.release || needs.fetch.outputs.release": "v1.2.3",
    "needs.plan.outputs.sha256": "0" * 64,
    "needs.plan.outputs.version": "version",
    "steps.approval.outputs.by": "ada",
    "steps.approval.outputs.release": "v1.2.3",
    "steps.image.outputs.image": "repository@sha256:" + "0" * 64,
    "vars.ALARM_EMAILS || '[]'": "[]",
    "vars.ECR_RUNNER_REPOSITORY": (
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner"
    ),
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
    attests = any("attestations" in grant for grant in content["permissions"] or ())
    assert asks == (assumes or calls_deploy or attests)
    assert not attests or workflow == "deploy.yml"  # the signer that `attestation` accepts
    # The roles trust GitHub environments only, so a job without one cannot assume a role.
    assert assumes == ("environment" in content)


@pytest.mark.parametrize(("workflow", "job", "content"), list(_jobs()))
def test_every_job_ends_by_itself(workflow: str, job: str, content: dict[str, Any]) -> None:
    assert "uses" in content or content["timeout-minutes"] <= 60


def test_no_stored_credential_is_used() -> None:
    for path in _sources():
        assert "secrets." not in path.read_text()


@pytest.mark.parametrize("name", ["deploy-environment.yml", "drift.yml", "plan.yml"])
def test_a_deploy_and_the_drift_report_plan_with_the_same_addresses(name: str) -> None:
    """Set for the whole workflow, they come from the repository's variables. In a job they would
    come from its environment, and the drift report runs in another one than the deploy.
    """
    document = workflows()[name]
    assert document["env"]["TF_VAR_alarm_emails"] == "${{ vars.ALARM_EMAILS || '[]' }}"
    for job in document["jobs"].values():
        assert "TF_VAR_alarm_emails" not in job["env"]


def test_the_drift_report_plans_each_environment_with_that_environments_role() -> None:
    [job] = workflows()["drift.yml"]["jobs"].values()
    assert job["environment"] == "${{ matrix.environment }}-drift"
    [role] = [
        step["with"]["role-to-assume"]
        for step in job["steps"]
        if "role-to-assume" in step.get("with", {})
    ]
    # A variable of that GitHub environment: its role may be in another account.
    assert role == "${{ vars.AWS_DRIFT_ROLE_ARN }}"


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
    for job in ("plan", "deploy"):
        [checkout] = [
            step
            for step in workflows()["deploy-environment.yml"]["jobs"][job]["steps"]
            if step.get("uses", "").startswith("actions/checkout@")
        ]
        assert checkout["with"]["ref"] == "${{ inputs.commit }}"
        # The files are verified before the job assumes a role.
        order = [step.name for step in steps("deploy-environment.yml") if step.job == job]
        [role] = [name for name in order if name.startswith("Assume the ")]
        for name in ("Verify it against its manifest", "Verify its attestation"):
            assert order.index(name) < order.index(role)


def test_a_tag_of_a_public_repository_needs_an_attestation() -> None:
    """The same condition decides whether deploy.yml attests a release and a deploy requires it."""
    attest = workflows()["deploy.yml"]["jobs"]["attest"]
    assert attest["if"] == "github.ref_type == 'tag' && !github.event.repository.private"
    deploy = workflows()["deploy-environment.yml"]
    assert deploy["env"]["REQUIRE_ATTESTATION"] == (
        "${{ !github.event.repository.private && startsWith(inputs.release, 'v') }}"
    )
    # For prod's plan as for each deploy: no job has a condition of its own.
    assert not [job for job in deploy["jobs"].values() if "REQUIRE_ATTESTATION" in job["env"]]
    [signer] = [name for name, document in workflows().items() if "attest" in document["jobs"]]
    assert f".github/workflows/{signer}" == attestation.WORKFLOW


def test_every_file_of_a_release_is_uploaded_and_has_its_bill_attested() -> None:
    jobs = workflows()["deploy.yml"]["jobs"]
    for name in ("build", "fetch"):
        [upload] = [step for step in jobs[name]["steps"] if step["name"] == "Upload the files"]
        patterns = upload["with"]["path"].split()
        for file in ("api.zip", "api.cdx.json", "runner-image.tar", "manifest.json"):
            assert any(fnmatch(f"dist/{file}", pattern) for pattern in patterns), file
        assert not any(fnmatch("dist/saved.tfplan", pattern) for pattern in patterns)
    matrix = jobs["attest-contents"]["strategy"]["matrix"]
    assert matrix == {"include": "${{ fromJSON(needs.build.outputs.contents) }}"}
    [step] = [step for step in jobs["attest-contents"]["steps"] if "sbom-path" in step["with"]]
    assert step["with"] == {
        "subject-path": "dist/${{ matrix.file }}",
        "sbom-path": "dist/${{ matrix.bill }}",
    }


def _before(jobs: dict[str, Any], name: str) -> set[str]:
    """Return all jobs that a job needs, directly or indirectly."""
    needed = set(jobs[name].get("needs", []))
    return needed.union(*(_before(jobs, other) for other in needed))


@pytest.mark.parametrize(
    ("job", "before"),
    [
        ("publish", "attest"),
        ("dev", "attest"),
        ("dev", "fetch"),
        ("test", "dev"),
        ("prod", "test"),
    ],
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
        if step.run is not None and step.job == "deploy" and (match := COMMAND.fullmatch(step.run))
    ]
    assert [name + " --staged" * staged for name, staged in programs] == [
        "manifest", "attestation", "approval", "image", "plan", "saved_plan", "apply",
        "log_retention",
        "smoke --staged", "promote", "smoke", "rollback", "smoke",
    ]  # fmt: skip


def test_the_plan_that_was_approved_is_the_one_that_is_applied() -> None:
    """The job of prod's plan needs no approval, and hands over the object's version and hash."""
    jobs = workflows()["deploy-environment.yml"]["jobs"]
    assert jobs["plan"]["environment"] == "prod-plan"
    assert jobs["plan"]["if"] == "inputs.environment == 'prod'"
    assert jobs["deploy"]["environment"] == "${{ inputs.environment }}"
    assert jobs["deploy"]["needs"] == ["plan"]
    # The plan's job is skipped for dev and test; a plan that failed or timed out stops prod.
    assert jobs["deploy"]["if"] == (
        "!cancelled() && !failure() && needs.plan.result != 'cancelled'"
    )
    here = {step["name"]: step for step in jobs["deploy"]["steps"]}
    fetch = here["Fetch the plan that was approved"]
    assert here["Plan"]["if"] == "inputs.environment != 'prod'"
    assert fetch["if"] == "inputs.environment == 'prod'"
    assert fetch["env"] == {
        "OBJECT_VERSION": "${{ needs.plan.outputs.version }}",
        "SHA256": "${{ needs.plan.outputs.sha256 }}",
    }
    stored = next(step for step in jobs["plan"]["steps"] if step["name"] == "Store the plan")
    for name in ("version", "sha256"):
        assert jobs["plan"]["outputs"][name] == f"${{{{ steps.{stored['id']}.outputs.{name} }}}}"
    # Both jobs prepare the same checkout, Terraform and files.
    before = [
        [step for step in job["steps"] if step["name"] in _PREPARATION]
        for job in (jobs["plan"], jobs["deploy"])
    ]
    assert len(before[0]) == len(_PREPARATION)
    assert before[0] == before[1]
    assert not [step for step in jobs["plan"]["steps"] if "upload-artifact" in str(step)]


_PREPARATION = (
    "Check out",
    "Set up Pants",
    "Install Terraform",
    "Download the release",
    "Verify it against its manifest",
    "Download its attestation",
    "Verify its attestation",
)


def test_every_job_runs_the_same_terraform() -> None:
    versions = {
        step["with"]["terraform_version"]
        for _, _, job in _jobs()
        for step in job.get("steps", [])
        if str(step.get("uses", "")).startswith("hashicorp/setup-terraform@")
    }
    assert len(versions) == 1


def test_a_pull_request_plans_dev_with_a_role_of_its_own() -> None:
    others = [
        content["environment"]
        for name, _, content in _jobs()
        if "environment" in content and name != "plan.yml"
    ]
    assert "plan" not in others
    document = workflows()["plan.yml"]
    [job] = document["jobs"].values()
    assert job["environment"] == "plan"  # the role that trusts it reads plan_state_environments
    assert job["env"]["ENVIRONMENT"] == "dev"
    # A fork runs code of people who may not push here.
    condition = "github.event.pull_request.head.repo.full_name == github.repository"
    assert condition in job["if"]
    assert "pull_request_target" not in str(document)
    assert job["permissions"] == {
        "contents": "read",
        "id-token": "write",
        "pull-requests": "write",
    }


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
    if step.run == ".ci/next":  # downloads the newest Pants
        step = replace(step, run=".ci/next --dry-run")
    program = "run build-support/deploy:" in (step.run or "")
    environment = {"GITHUB_SHA": "0" * 40, "PYTHONDONTWRITEBYTECODE": "1"}
    done = run_step(step, checkout, VALUES, environment, ("--dry-run",) if program else ())
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert not program or "Traceback" not in done.stderr


BY_HAND = {"doctor", "environment", "github_settings", "restore", "revoke", "verify"}


def test_every_program_of_the_pipeline_is_called_by_a_workflow() -> None:
    """A program that is not called would break unnoticed; people run the others."""
    called = {
        match["program"]
        for step in COMMANDS
        if step.run is not None and (match := COMMAND.fullmatch(step.run))
    }
    folder = REPOSITORY / "build-support" / "deploy"
    programs = {
        path.stem for path in folder.glob("*.py") if "\n    run(main)\n" in path.read_text()
    }
    assert called - {None} == programs - BY_HAND
