"""Drift is told in one issue an environment, which opens, changes and closes with it."""

import pytest

from deploy.drift import report
from deploy.github import Github
from deploy.plan_summary import Change, PlanSummary
from deploy.program import Refused
from deploy.tests.fakes import FakeGithub

NOTHING = PlanSummary(())
TOPIC = PlanSummary((Change("aws_sns_topic.alarms", "aws_sns_topic", "change"),))
BUCKET = PlanSummary((Change("aws_s3_bucket.main", "aws_s3_bucket", "change"),))


def test_drift_opens_one_issue_and_says_what_has_drifted(fake: FakeGithub, github: Github) -> None:
    assert report(github, "dev", TOPIC) == "opened issue 1"
    assert report(github, "dev", TOPIC) == "issue 1 says so already"
    [issue] = fake.issues
    assert issue["title"] == "dev has drifted from its release"
    assert "aws_sns_topic.alarms" in issue["body"]


def test_other_drift_changes_the_issue(fake: FakeGithub, github: Github) -> None:
    report(github, "dev", TOPIC)
    assert report(github, "dev", BUCKET) == "updated issue 1"
    assert "aws_s3_bucket.main" in fake.issues[0]["body"]


def test_the_issue_closes_when_nothing_drifts_any_more(fake: FakeGithub, github: Github) -> None:
    report(github, "dev", TOPIC)
    assert report(github, "dev", NOTHING) == "closed issue 1"
    assert fake.issues[0]["state"] == "closed"
    assert fake.comments == [(1, "dev is what its release says again.")]
    assert report(github, "dev", NOTHING) == "no drift"


def test_each_environment_has_its_own(fake: FakeGithub, github: Github) -> None:
    report(github, "dev", TOPIC)
    assert report(github, "prod", TOPIC) == "opened issue 2"
    report(github, "dev", NOTHING)
    assert [issue["state"] for issue in fake.issues] == ["closed", "open"]


def test_a_refusal_of_githubs_is_told_with_its_answer(github_url: str) -> None:
    stranger = Github("acme/fin-advisor", "another", github_url)
    with pytest.raises(Refused, match=r"GitHub answered 401 to GET .*Bad credentials"):
        report(stranger, "dev", TOPIC)
