"""A deploy to prod requires an approval of the same release."""

import json
from pathlib import Path

import pytest

from deploy import apply, approval
from deploy.approval import Approval, recorded
from deploy.github import Github
from deploy.program import Refused
from deploy.tests.fakes import FakeGithub

REVIEWED = {"protection_rules": [{"type": "required_reviewers"}]}
APPROVED = {"state": "approved", "environments": [{"name": "prod"}], "user": {"login": "ada"}}


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({}, "DEPLOY_APPROVED_BY and DEPLOY_APPROVED_RELEASE not set"),
        ({"DEPLOY_APPROVED_BY": "ada"}, "DEPLOY_APPROVED_RELEASE not set"),
        ({"DEPLOY_APPROVED_BY": " ", "DEPLOY_APPROVED_RELEASE": "v2.0.0"}, "DEPLOY_APPROVED_BY"),
        (
            {"DEPLOY_APPROVED_BY": "ada", "DEPLOY_APPROVED_RELEASE": "v1.0.0"},
            "ada approved v1.0.0 for prod, but the plan is of v2.0.0",
        ),
    ],
)
def test_prod_is_refused_without_an_approval_of_this_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], complaint: str
) -> None:
    for name in ("DEPLOY_APPROVED_BY", "DEPLOY_APPROVED_RELEASE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    # There is no terraform on this PATH: calling it would raise another error.
    monkeypatch.setenv("PATH", str(tmp_path))
    plan = tmp_path / "saved.tfplan"
    plan.write_bytes(b"a plan")
    plan.with_suffix(".json").write_text(json.dumps({"environment": "prod", "release": "v2.0.0"}))
    with pytest.raises(Refused, match=complaint):
        apply.main(["--environment", "prod", "--plan", str(plan)])
    assert plan.exists()


def test_a_plan_of_another_environment_is_refused(tmp_path: Path) -> None:
    plan = tmp_path / "saved.tfplan"
    plan.with_suffix(".json").write_text(json.dumps({"environment": "dev", "release": "v2.0.0"}))
    with pytest.raises(Refused, match="is a plan of dev, not test"):
        apply.main(["--environment", "test", "--plan", str(plan)])


@pytest.mark.parametrize("environment", ["dev", "test"])
def test_the_other_environments_need_no_approval(environment: str) -> None:
    Approval.required(environment, "v2.0.0", {})


def test_prod_is_deployed_with_an_approval_of_this_release() -> None:
    variables = {"DEPLOY_APPROVED_BY": "ada", "DEPLOY_APPROVED_RELEASE": "v2.0.0"}
    Approval.required("prod", "v2.0.0", variables)


def test_the_approver_is_read_from_github(fake: FakeGithub, github: Github) -> None:
    fake.environments["prod"] = REVIEWED
    fake.approvals = [APPROVED]
    assert recorded(github, "1", "prod") == "ada"


def test_an_environment_without_required_reviewers_is_refused(
    fake: FakeGithub, github: Github
) -> None:
    """GitHub creates an environment when it is first used, without any protection."""
    fake.environments["prod"] = {"protection_rules": [{"type": "branch_policy"}]}
    fake.approvals = [APPROVED]
    with pytest.raises(Refused, match="no required reviewers"):
        recorded(github, "1", "prod")


@pytest.mark.parametrize(
    "review",
    [
        {**APPROVED, "state": "rejected"},
        {**APPROVED, "environments": [{"name": "test"}]},
    ],
)
def test_a_rejection_or_a_review_of_another_environment_is_no_approval(
    fake: FakeGithub, github: Github, review: dict[str, object]
) -> None:
    fake.environments["prod"] = REVIEWED
    fake.approvals = [review]
    with pytest.raises(Refused, match="nobody approved this run for prod"):
        recorded(github, "1", "prod")


def test_the_program_outputs_the_variables_for_apply(fake: FakeGithub, step_outputs: Path) -> None:
    fake.environments["prod"] = REVIEWED
    fake.approvals = [APPROVED]
    approval.main(["--environment", "prod", "--release", "v2.0.0"])
    assert step_outputs.read_text().splitlines() == ["by=ada", "release=v2.0.0"]


def test_outside_of_a_workflow_the_program_names_the_missing_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("GITHUB_REPOSITORY", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Refused, match="GITHUB_REPOSITORY and GH_TOKEN not set"):
        approval.main(["--environment", "prod", "--release", "v2.0.0"])
