"""The repository gets the settings that the pipeline needs, and only what differs is changed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy import github_settings
from deploy.program import Refused
from deploy.tests.fakes import FakeGithubSettings, serving

_ARN = "arn:aws:iam::123456789012:role/fin-advisor"


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGithubSettings]:
    made = FakeGithubSettings()
    with serving(made) as url:
        monkeypatch.setenv("GITHUB_API_URL", url)
        monkeypatch.setenv("GH_TOKEN", "token")
        yield made


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    outputs = {
        "deploy_role_arns": {name: f"{_ARN}-{name}-deploy" for name in ("dev", "test", "prod")},
        "drift_role_arns": {name: f"{_ARN}-{name}-drift" for name in ("dev", "test", "prod")},
        "plan_role_arn": f"{_ARN}-plan",
        "prod_plan_role_arn": f"{_ARN}-prod-plan",
        "ecr_repository_urls": {"runner": "123456789012.dkr.ecr.us-east-1.amazonaws.com/runner"},
    }
    file = tmp_path / "bootstrap.json"
    file.write_text(json.dumps({name: {"value": value} for name, value in outputs.items()}))
    return [
        *("--repository", "acme/fin-advisor", "--outputs", str(file), "--region", "us-east-1"),
        *("--reviewer", "deployers", "--reviewer", "ann", "--alarm-email", "on-call@acme.example"),
    ]


def test_an_empty_repository_gets_all_settings_and_a_second_run_changes_nothing(
    repository: FakeGithubSettings, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    github_settings.main(arguments)
    assert repository.environments.keys() == github_settings.REFS.keys()
    prod = {rule["type"]: rule for rule in repository.environments["prod"]["protection_rules"]}
    assert prod["required_reviewers"]["prevent_self_review"]
    assert [
        (one["type"], one["reviewer"]["id"]) for one in prod["required_reviewers"]["reviewers"]
    ] == [("Team", 7), ("User", 8)]
    assert [tuple(ref.values()) for ref in repository.refs["prod"].values()] == [("tag", "v*")]
    assert repository.variables["prod"] == {
        "AWS_REGION": "us-east-1",
        "AWS_DEPLOY_ROLE_ARN": f"{_ARN}-prod-deploy",
        "ECR_RUNNER_REPOSITORY": "123456789012.dkr.ecr.us-east-1.amazonaws.com/runner",
    }
    assert repository.variables["plan"]["AWS_PLAN_ROLE_ARN"] == f"{_ARN}-plan"
    assert repository.variables["prod-drift"]["AWS_DRIFT_ROLE_ARN"] == f"{_ARN}-prod-drift"
    assert repository.environments.keys() == repository.variables.keys() - {""}
    assert repository.variables[""] == {"ALARM_EMAILS": '["on-call@acme.example"]'}
    rules = {one["name"]: [rule["type"] for rule in one["rules"]] for one in _rulesets(repository)}
    assert rules == {
        "main": ["deletion", "non_fast_forward", "pull_request", "required_status_checks"],
        "releases": ["creation", "deletion", "update"],
    }
    capsys.readouterr()
    repository.requests.clear()
    github_settings.main(arguments)
    assert (repository.requests, capsys.readouterr().out) == ([], "nothing to change\n")


def test_a_dry_run_says_what_differs_and_changes_nothing(
    repository: FakeGithubSettings, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    github_settings.main([*arguments, "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert "would protect the environment prod" in lines
    assert "would let tag v* use prod" in lines
    assert "would add AWS_DEPLOY_ROLE_ARN to the environment dev" in lines
    assert all(line.startswith("would ") for line in lines)
    assert repository.requests == []


def test_what_weakens_the_protection_is_put_right_and_the_rest_is_left_alone(
    repository: FakeGithubSettings, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    github_settings.main(arguments)
    capsys.readouterr()
    repository.refs["prod"][9] = {"type": "branch", "name": "*"}
    repository.environments["prod"]["protection_rules"] = []
    repository.environments["dev"]["deployment_branch_policy"] = None
    repository.variables["dev"] |= {"AWS_DEPLOY_ROLE_ARN": "arn:old", "OWN": "kept"}
    [main] = [one for one in _rulesets(repository) if one["name"] == "main"]
    main["enforcement"] = "disabled"
    github_settings.main(arguments)
    assert capsys.readouterr().out.splitlines() == [
        "protect the environment dev",
        "protect the environment prod",
        "keep branch * from prod",
        "change AWS_DEPLOY_ROLE_ARN of the environment dev",
        "change the ruleset 'main'",
    ]
    assert repository.variables["dev"]["AWS_DEPLOY_ROLE_ARN"] == f"{_ARN}-dev-deploy"
    assert repository.variables["dev"]["OWN"] == "kept"
    github_settings.main(arguments)
    assert capsys.readouterr().out == "nothing to change\n"


def test_only_the_reviewers_teams_may_create_a_releases_tag(
    repository: FakeGithubSettings, arguments: list[str]
) -> None:
    github_settings.main(arguments)
    [releases] = [one for one in _rulesets(repository) if one["name"] == "releases"]
    assert [one["actor_id"] for one in releases["bypass_actors"]] == [7]


def test_an_unknown_reviewer_is_refused_before_anything_changes(
    repository: FakeGithubSettings, arguments: list[str]
) -> None:
    with pytest.raises(Refused, match="nobody is neither a team of acme nor a user of GitHub"):
        github_settings.main([*arguments, "--reviewer", "nobody"])
    assert repository.requests == []


def test_a_file_that_terraform_did_not_write_is_refused(
    repository: FakeGithubSettings, arguments: list[str], tmp_path: Path
) -> None:
    (tmp_path / "bootstrap.json").write_text("[1]")
    with pytest.raises(Refused, match="is not what `terraform output -json` prints"):
        github_settings.main(arguments)
    assert repository.requests == []


def test_a_missing_token_is_refused(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GH_TOKEN", raising=False)
    with pytest.raises(Refused, match="GH_TOKEN is not set"):
        github_settings.main(arguments)


def _rulesets(repository: FakeGithubSettings) -> list[dict[str, Any]]:
    return list(repository.rulesets.values())
