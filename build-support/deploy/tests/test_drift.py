"""Drift is reported in one issue for each environment, which is opened, updated and closed."""

import pytest

from deploy.drift import report, report_models
from deploy.github import Github
from deploy.plan_summary import Change, PlanSummary
from deploy.program import Refused
from deploy.tests.fakes import FakeGithub

NOTHING = PlanSummary(())
TOPIC = PlanSummary((Change("aws_sns_topic.alarms", "aws_sns_topic", "change"),))
BUCKET = PlanSummary((Change("aws_s3_bucket.main", "aws_s3_bucket", "change"),))


def test_drift_opens_one_issue_that_names_the_resources(fake: FakeGithub, github: Github) -> None:
    assert report(github, "dev", TOPIC) == "opened issue 1"
    assert report(github, "dev", TOPIC) == "issue 1 is up to date"
    [issue] = fake.issues
    assert issue["title"] == "dev has drifted from its release"
    assert "aws_sns_topic.alarms" in issue["body"]


def test_other_drift_updates_the_issue(fake: FakeGithub, github: Github) -> None:
    report(github, "dev", TOPIC)
    assert report(github, "dev", BUCKET) == "updated issue 1"
    assert "aws_s3_bucket.main" in fake.issues[0]["body"]


def test_the_issue_is_closed_when_there_is_no_drift(fake: FakeGithub, github: Github) -> None:
    report(github, "dev", TOPIC)
    assert report(github, "dev", NOTHING) == "closed issue 1"
    assert fake.issues[0]["state"] == "closed"
    assert fake.comments == [(1, "dev matches its release again.")]
    assert report(github, "dev", NOTHING) == "no drift"


def test_each_environment_has_its_own_issue(fake: FakeGithub, github: Github) -> None:
    report(github, "dev", TOPIC)
    assert report(github, "prod", TOPIC) == "opened issue 2"
    report(github, "dev", NOTHING)
    assert [issue["state"] for issue in fake.issues] == ["closed", "open"]


def test_models_that_end_have_an_issue_of_their_own(fake: FakeGithub, github: Github) -> None:
    finding = "the model for chat, anthropic.old, is legacy"
    assert report_models(github, "dev", []) == "all models are active"
    assert report_models(github, "dev", [finding]) == "opened issue 1"
    assert report_models(github, "dev", [finding]) == "issue 1 is up to date"
    assert finding in fake.issues[0]["body"]
    assert report(github, "dev", NOTHING) == "no drift"
    assert report_models(github, "dev", []) == "closed issue 1"


def test_an_error_of_github_shows_its_response(github_url: str) -> None:
    stranger = Github("acme/fin-advisor", "another", github_url)
    with pytest.raises(Refused, match=r"GitHub answered 401 to GET .*Bad credentials"):
        report(stranger, "dev", TOPIC)
