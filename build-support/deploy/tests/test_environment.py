"""A developer's environment is created and destroyed by one command, with a role of its own."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy import environment
from deploy.program import REPOSITORY, Refused
from deploy.variables import Variables


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Terraform's files as far as the program reads them, with anna in bootstrap's list."""
    folder = tmp_path / "terraform"
    shutil.copytree(REPOSITORY / "terraform" / "environments", folder / "environments")
    shutil.copy(REPOSITORY / "terraform" / "variables.tf", folder)
    (folder / "environments" / "anna.s3.tfbackend").touch()
    return folder


class _Sts:
    def __init__(self, *, allows: bool = True) -> None:
        self._allows = allows
        self.assumed: list[str] = []

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:sts::123456789012:assumed-role/developer/anna"}

    def assume_role(self, *, RoleArn: str, **_: Any) -> Any:  # noqa: N803 - boto3's name
        self.assumed.append(RoleArn)
        if not self._allows:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")
        return {"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}}


@pytest.fixture
def run(folder: Path) -> Callable[..., None]:
    def run(*arguments: str) -> None:
        environment.main(["--terraform", str(folder), *arguments])

    return run


def test_the_cost_is_printed_before_anything_is_done(
    run: Callable[..., None], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("create", "anna", "--dry-run")
    printed = capsys.readouterr().out
    assert "A month with 1,000 questions" in printed
    assert re.search(r"\*\*sum\*\* \|  \| \*\*\$\d+", printed)
    assert "App Runner" not in printed
    assert "would apply terraform/ to anna" in printed
    assert not (folder / "environments" / "anna.tfvars").exists()
    with pytest.raises(Refused, match=r"Create anna\? Nothing was changed\. Give --yes"):
        run("create", "anna")
    assert "A month with 1,000 questions" in capsys.readouterr().out
    with pytest.raises(Refused, match=r"Destroy anna with every document, .* Nothing was changed"):
        run("destroy", "anna")


@pytest.mark.parametrize("name", ["dev", "test", "prod"])
@pytest.mark.parametrize("what", ["create", "destroy"])
def test_environments_of_everybody_are_refused(
    run: Callable[..., None], what: str, name: str
) -> None:
    with pytest.raises(Refused, match=f"{name} is an environment of everybody"):
        run(what, name, "--yes")


def test_a_name_that_bootstrap_does_not_list_is_explained(run: Callable[..., None]) -> None:
    with pytest.raises(Refused, match=r"Add bob to developer_environments in bootstrap/accounts/"):
        run("create", "bob", "--yes")


@pytest.mark.parametrize("name", ["annabel", "dev-a", "Anna", "a"])
def test_a_name_that_no_environment_can_have_is_refused(
    run: Callable[..., None], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("create", name)
    assert "2 to 6 lower-case letters and digits" in capsys.readouterr().err


def test_the_variables_are_written_once_and_then_the_developers(folder: Path) -> None:
    file = environment.write_variables("anna", folder)
    variables = Variables.read("anna", folder)
    assert (variables["environment"], variables["runner_platform"]) == ("anna", "lambda")
    file.write_text(file.read_text() + "# mine\n")
    assert environment.write_variables("anna", folder).read_text().endswith("# mine\n")


def test_terraform_has_the_keys_of_the_environments_role_and_of_no_profile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.write_variables("anna", folder)
    variables, sts = Variables.read("anna", folder), _Sts()
    monkeypatch.setattr(environment, "client", lambda *_: sts)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "before")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    with environment.deploying_as("anna", variables):
        assert os.environ["AWS_ACCESS_KEY_ID"] == "a"
        assert os.environ["AWS_SESSION_TOKEN"] == "c"
        assert "AWS_PROFILE" not in os.environ
    assert sts.assumed == ["arn:aws:iam::123456789012:role/fin-advisor-anna-deploy"]
    assert (os.environ["AWS_PROFILE"], os.environ["AWS_ACCESS_KEY_ID"]) == ("mine", "before")
    assert "AWS_SESSION_TOKEN" not in os.environ


def test_a_role_that_may_not_be_assumed_is_explained(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "client", lambda *_: _Sts(allows=False))
    with pytest.raises(Refused, match=r"may not assume .*/fin-advisor-anna-deploy.* Add the ARN"):
        run("create", "anna", "--yes")
