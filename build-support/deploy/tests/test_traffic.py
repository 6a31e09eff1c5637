"""What serves is read from AWS, changed in order, and rolled back as far as possible."""

from pathlib import Path
from typing import Any

import pytest

from deploy import rollback, traffic
from deploy.program import Refused
from deploy.rollback import roll_back
from deploy.tests.fakes import FakeAppRunner, FakeLambda
from deploy.traffic import Alias, Serving, callers_last, move_image

ARN = "arn:aws:apprunner:us-east-1:123456789012:service/fin-advisor-dev-runner/0"
OUTPUTS: dict[str, Any] = {
    "functions": {
        name: {"name": f"fin-advisor-dev-{name}", "alias": "live", "newest_version": "3"}
        for name in ("api", "chat", "s3vector")
    },
    "runner": {"service_arn": ARN},
}


def _versions(**versions: str) -> dict[str, str]:
    return {f"fin-advisor-dev-{name}": version for name, version in versions.items()}


def _use(monkeypatch: pytest.MonkeyPatch, **clients: object) -> None:
    monkeypatch.setattr(traffic, "client", lambda name: clients[name.replace("lambda", "aws")])
    monkeypatch.setattr(traffic, "_IMAGE_POLL_SECONDS", 0.01)


def test_what_serves_is_read_from_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Terraform's outputs may be out of date: a rollback moves an alias without Terraform."""
    functions = FakeLambda(_versions(api="2", chat="3", s3vector="3"))
    _use(monkeypatch, aws=functions, apprunner=FakeAppRunner("image-1"))
    serving = Serving.now(OUTPUTS)
    assert serving.live_versions() == {"api": "2", "chat": "3", "s3vector": "3"}
    assert serving.runner_image == "image-1"
    assert serving.staged() == {"api": Alias("fin-advisor-dev-api", "live", "3")}
    serving.write(tmp_path / "served.json", "dev")
    assert Serving.read(tmp_path / "served.json", "dev") == serving


def test_before_the_first_deploy_nothing_serves() -> None:
    assert Serving.now({}) == Serving()
    assert Serving().live_versions() == {}


def test_a_service_is_promoted_before_its_callers() -> None:
    assert callers_last(["api", "chat", "s3vector", "new"]) == ["new", "s3vector", "chat", "api"]


def test_a_rollback_moves_what_differs_and_callers_first(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = FakeLambda(_versions(api="2", chat="2", s3vector="2"))
    runner = FakeAppRunner("image-1")
    _use(monkeypatch, aws=functions, apprunner=runner)
    target = Serving.now(OUTPUTS)
    functions.versions.update(_versions(api="3", s3vector="3"))
    runner.image = "image-2"
    before = roll_back(target)
    assert functions.moves == [("fin-advisor-dev-api", "2"), ("fin-advisor-dev-s3vector", "2")]
    assert runner.image == "image-1"
    assert before.aliases["api"].version == "3"
    assert before.runner_image == "image-2"


def test_a_rollback_takes_back_the_share_that_a_dead_canary_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The alias points to the right version, but some requests go to another one."""
    functions = FakeLambda(_versions(api="2", chat="2", s3vector="2"))
    _use(monkeypatch, aws=functions, apprunner=FakeAppRunner("image-1"))
    target = Serving.now(OUTPUTS)
    Alias("fin-advisor-dev-api", "live", "2").split("3", 0.1)
    found = Serving.now(OUTPUTS)
    share = "10% of the requests to version 3"
    assert found.unfinished() == [f"api sends {share}: a canary was not finished"]
    assert f"| api | 2, {share} |" in found.markdown("dev")
    roll_back(target)
    assert functions.moves == [("fin-advisor-dev-api", "2")]
    assert Serving.now(OUTPUTS).unfinished() == []


def test_a_rollback_to_what_served_during_a_canary_takes_its_share_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    functions = FakeLambda(_versions(api="2", chat="2", s3vector="2"))
    _use(monkeypatch, aws=functions, apprunner=FakeAppRunner("image-1"))
    Alias("fin-advisor-dev-api", "live", "2").split("3", 0.1)
    Serving.now(OUTPUTS).write(tmp_path / "served.json", "dev")
    roll_back(Serving.read(tmp_path / "served.json", "dev"))
    assert functions.weights["fin-advisor-dev-api"] == {}


def test_a_part_that_cannot_be_moved_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    functions = FakeLambda(_versions(api="2", chat="2", s3vector="2"), ["fin-advisor-dev-api"])
    runner = FakeAppRunner("image-1")
    _use(monkeypatch, aws=functions, apprunner=runner)
    target = Serving.now(OUTPUTS)
    functions.versions.update(_versions(api="3", chat="3", s3vector="3"))
    runner.image = "image-2"
    with pytest.raises(Refused, match="api: fin-advisor-dev-api still serves version 3"):
        roll_back(target)
    assert functions.versions == _versions(api="3", chat="2", s3vector="2")
    assert runner.image == "image-1"


def test_a_rollback_is_refused_if_nothing_served_before(tmp_path: Path) -> None:
    Serving().write(tmp_path / "served.json", "dev")
    with pytest.raises(Refused, match="nothing to roll back to"):
        rollback.main(["--environment", "dev", "--to", str(tmp_path / "served.json")])


def test_a_rollback_to_what_another_environment_served_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A deploy by hand leaves the file behind, and the next one may be of another environment."""
    functions = FakeLambda(_versions(api="2", chat="2", s3vector="2"))
    _use(monkeypatch, aws=functions, apprunner=FakeAppRunner("image-1"))
    Serving.now(OUTPUTS).write(tmp_path / "served.json", "test")
    functions.versions.update(_versions(api="3"))
    with pytest.raises(Refused, match="contains what test served, not prod"):
        rollback.main(["--environment", "prod", "--to", str(tmp_path / "served.json")])
    assert functions.moves == []
    rollback.main(["--environment", "test", "--to", str(tmp_path / "served.json")])
    assert functions.moves == [("fin-advisor-dev-api", "2")]


@pytest.mark.parametrize("text", ["[]", "{}", '{"aliases": {}}', '{"environment": "dev"}'])
def test_a_file_of_another_format_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "served.json").write_text(text)
    with pytest.raises(Refused, match="was not written by plan"):
        rollback.main(["--environment", "dev", "--to", str(tmp_path / "served.json")])


def test_an_image_is_changed_after_the_operation_in_progress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runner = FakeAppRunner("image-1", busy=3)
    _use(monkeypatch, apprunner=runner)
    assert move_image(ARN, "image-2") == "image-1"
    [update] = runner.updates
    # The other settings of the source stay as Terraform set them.
    assert update["ImageRepository"]["ImageRepositoryType"] == "ECR"
    assert update["AutoDeploymentsEnabled"] is False


def test_the_same_image_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = FakeAppRunner("image-1")
    _use(monkeypatch, apprunner=runner)
    move_image(ARN, "image-1")
    assert runner.updates == []


def test_an_image_that_app_runner_does_not_keep_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """App Runner rolls back by itself if the new instances are not healthy."""

    class GivesUp(FakeAppRunner):
        def update_service(self, **_: Any) -> None:
            """Keep the previous image."""

    _use(monkeypatch, apprunner=GivesUp("image-1"))
    with pytest.raises(Refused, match="is RUNNING and runs image-1, not image-2"):
        move_image(ARN, "image-2")
