"""A pull request has one comment with its plan, without values."""

import json
import os
from pathlib import Path

import pytest

from deploy import preview
from deploy.github import Github
from deploy.plan_summary import Change, PlanSummary
from deploy.preview import report
from deploy.tests.fakes import TERRAFORM, FakeGithub

TOPIC = PlanSummary((Change("aws_sns_topic.alarms", "aws_sns_topic", "change"),))
BUCKET = PlanSummary((Change("aws_s3_bucket.main", "aws_s3_bucket", "destroy"),))
CHANGED = {
    "address": "aws_sns_topic.alarms",
    "type": "aws_sns_topic",
    "change": {
        "actions": ["update"],
        "before": {"display_name": "hidden-old"},
        "after": {"display_name": "hidden-new"},
    },
}


def test_the_comment_is_updated_in_place(fake: FakeGithub, github: Github) -> None:
    assert report(github, 7, "dev", TOPIC) == "wrote a comment"
    assert report(github, 7, "dev", TOPIC) == "comment 1 is up to date"
    assert report(github, 7, "dev", PlanSummary(())) == "updated comment 1"
    [(number, body)] = fake.comments
    assert number == 7
    assert "Plan of dev: nothing changes" in body
    assert report(github, 8, "dev", TOPIC) == "wrote a comment"


def test_the_comment_of_another_author_is_left_alone(fake: FakeGithub, github: Github) -> None:
    report(github, 7, "dev", TOPIC)
    fake.author = "mallory"
    fake.comments.insert(0, (7, "<!-- plan of dev -->\nEverything is fine."))
    fake.authors.insert(0, "mallory")
    assert report(github, 7, "dev", BUCKET) == "updated comment 2"
    assert fake.comments[0] == (7, "<!-- plan of dev -->\nEverything is fine.")


def test_what_a_deploy_would_refuse_is_in_the_comment(fake: FakeGithub, github: Github) -> None:
    report(github, 7, "dev", BUCKET)
    assert "**The deploy would be refused.** aws_s3_bucket.main" in fake.comments[0][1]


def test_what_is_taken_away_is_named_by_its_address(fake: FakeGithub, github: Github) -> None:
    line = "aws_iam_policy.chat: s3:GetObject on arn:aws:s3:::bucket is taken away"
    report(github, 7, "dev", PlanSummary((), (line, line.replace("Get", "Put"))))
    body = fake.comments[0][1]
    assert body.count("aws_iam_policy.chat takes a route or a right") == 1
    assert "arn:" not in body


@pytest.mark.usefixtures("step_outputs")
def test_the_program_plans_without_a_lock_and_shows_no_value(
    fake: FakeGithub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(TERRAFORM)
    program.chmod(0o755)
    program.with_suffix(".json").write_text(json.dumps({"resource_changes": [CHANGED]}))
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    preview.main(["--environment", "dev", "--number", "7"])
    [(_, body)] = fake.comments
    assert "| change | `aws_sns_topic.alarms` | display_name |" in body
    assert "hidden" not in body
    printed = "".join(capfd.readouterr())
    assert "hidden" not in printed
    assert "what terraform plan prints" not in printed
    called = program.with_suffix(".log").read_text()
    assert "-lock=false" in called
    assert " apply " not in called
