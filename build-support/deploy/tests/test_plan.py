"""A saved plan can be applied once, to its environment; a refused plan is not saved."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy import apply, plan
from deploy.manifest import Manifest
from deploy.program import Refused
from deploy.tests.fakes import TERRAFORM, write_packages
from deploy.traffic import Alias, Serving

BUCKET = 'aws_s3_bucket.main["vectors"]'
REPLACED = {"address": BUCKET, "type": "aws_s3_bucket", "change": {"actions": ["delete", "create"]}}


@dataclass(frozen=True)
class Machine:
    """A machine for deploys by hand: dist/, and a fake Terraform with a given plan."""

    folder: Path

    def plan(self, environment: str, allow: str = "", *more: str) -> None:
        given = ["--environment", environment, "--allow", allow, "--folder", str(self.folder)]
        options = [*given, *more]
        served = ["--served", str(self.folder / "served.json")]
        plan.main([*options, *served, "--output", str(self.saved)])

    def apply(self, environment: str) -> None:
        options = ["--environment", environment, "--folder", str(self.folder)]
        apply.main([*options, "--plan", str(self.saved)])

    def set_changes(self, *changes: object) -> None:
        content = json.dumps({"resource_changes": changes})
        (self.folder / "bin" / "terraform.json").write_text(content)

    def terraform_fails(self, command: str) -> None:
        (self.folder / "bin" / "terraform.refuses").write_text(command)

    @property
    def saved(self) -> Path:
        return self.folder / "saved.tfplan"

    def saved_files(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("saved.*"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    write_packages(tmp_path)
    Manifest.create(tmp_path, release="v1.2.0", commit="0" * 40).write(tmp_path / "manifest.json")
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(TERRAFORM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    for name in ("DEPLOY_APPROVED_BY", "DEPLOY_APPROVED_RELEASE"):
        monkeypatch.delenv(name, raising=False)
    made = Machine(tmp_path)
    made.set_changes()
    return made


def test_a_plan_can_be_applied_once(machine: Machine) -> None:
    machine.plan("dev")
    assert machine.saved_files() == ["saved.json", "saved.tfplan"]
    machine.apply("dev")
    assert machine.saved_files() == []
    with pytest.raises(Refused, match=r"saved\.json does not exist"):
        machine.apply("dev")


@pytest.mark.parametrize(
    ("refuses", "complaint"),
    [
        (lambda machine: machine.set_changes(REPLACED), "workflow Deploy"),
        (lambda machine: machine.terraform_fails("init"), "init failed"),
        (lambda machine: machine.terraform_fails("plan"), "plan failed"),
        (lambda machine: machine.terraform_fails("show"), "show failed"),
        (lambda machine: (machine.folder / "api.zip").write_bytes(b"another"), "has the hash"),
    ],
    ids=["replacement", "init", "plan", "show", "manifest"],
)
def test_a_refused_plan_of_prod_deletes_the_plan_of_dev(
    machine: Machine, refuses: Callable[[Machine], object], complaint: str
) -> None:
    machine.plan("dev")
    refuses(machine)
    with pytest.raises(Refused, match=complaint):
        machine.plan("prod")
    assert machine.saved_files() == []
    with pytest.raises(Refused, match="does not exist"):
        machine.apply("dev")


def test_a_wrong_address_in_allow_leaves_no_plan(
    machine: Machine,
) -> None:
    machine.plan("dev")
    machine.set_changes(REPLACED)
    with pytest.raises(Refused, match=r"not in the plan: aws_s3_bucket\.main$"):
        machine.plan("prod", f"{BUCKET} aws_s3_bucket.main")
    assert machine.saved_files() == []
    machine.plan("prod", BUCKET)
    assert machine.saved_files() == ["saved.json", "saved.tfplan"]
    with pytest.raises(Refused, match="is a plan of prod, not dev"):
        machine.apply("dev")
    with pytest.raises(Refused, match="needs an approval"):
        machine.apply("prod")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda folder: (folder / "api.zip").write_bytes(b"another"), "has the hash"),
        (lambda folder: (folder / "evil.zip").touch(), "evil.zip is not a file"),
        (
            lambda folder: (folder / "manifest.json").write_text("{}"),
            "is not a plan of the release",
        ),
    ],
)
def test_packages_that_changed_since_the_plan_are_not_applied(
    machine: Machine, change: Callable[[Path], object], complaint: str
) -> None:
    machine.plan("dev")
    change(machine.folder)
    with pytest.raises(Refused, match=complaint):
        machine.apply("dev")
    assert machine.saved_files() == ["saved.json", "saved.tfplan"]


ROUTE = {
    "address": "aws_api_gateway_method.main",
    "type": "aws_api_gateway_method",
    "change": {"actions": ["delete"], "before": {}, "after": None},
}
CODE = {
    "address": "module.api.aws_lambda_function.main",
    "type": "aws_lambda_function",
    "change": {
        "actions": ["update"],
        "before": {"source_code_hash": "old"},
        "after": {"source_code_hash": "new"},
    },
}


@pytest.mark.parametrize("more", [(), ("--contract=false",)])
def test_a_route_is_taken_away_only_on_request(machine: Machine, more: tuple[str, ...]) -> None:
    machine.set_changes(ROUTE)
    with pytest.raises(Refused, match="the route is taken away\nThe versions that serve may"):
        machine.plan("dev", "", *more)
    assert machine.saved_files() == []
    machine.plan("dev", "", "--contract")
    machine.plan("dev", "", "--contract=true")
    assert machine.saved_files() == ["saved.json", "saved.tfplan"]


def test_nothing_is_taken_away_while_new_code_is_not_promoted(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.set_changes(ROUTE, CODE)
    with pytest.raises(Refused, match=r"module\.api\.aws_lambda_function\.main would not serve"):
        machine.plan("dev", "", "--contract")
    machine.set_changes(ROUTE)
    rolled_back = Serving({"chat": Alias("chat", "live", "2")}, {"chat": "3"})
    monkeypatch.setattr(Serving, "now", lambda outputs: rolled_back)
    with pytest.raises(Refused, match="chat would not serve the newest code yet"):
        machine.plan("dev", "", "--contract")
    assert machine.saved_files() == []


def test_a_dry_run_leaves_the_saved_plan(machine: Machine) -> None:
    machine.plan("dev")
    plan.main(["--environment", "dev", "--output", str(machine.saved), "--dry-run"])
    assert machine.saved_files() == ["saved.json", "saved.tfplan"]


def test_what_serves_is_saved_with_its_environment(machine: Machine) -> None:
    machine.plan("test")
    served = json.loads((machine.folder / "served.json").read_text())
    assert served["environment"] == "test"
