"""A service that is added to a copy of the repository is complete there, without any edit."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scaffold.tests.tree import copied, texts
from services.declared import FILE, read
from tests.harness import Layer, missing

pytestmark = pytest.mark.slow

NEEDS_TERRAFORM = pytest.mark.skipif(
    missing() is not None, reason=f"Terraform cannot run here: {missing()}"
)
SUITES = Path(__file__).with_name("suites")
# What reads services.json or the module map, besides Terraform.
TESTS = (
    "backend/newcomer",
    "backend/services",
    "backend/local/tests/test_default_estate.py",
    "backend/local/tests/test_reload.py",
    "build-support/boundaries/tests/test_repository.py",
    "build-support/deploy/tests/test_checks.py",
    "build-support/deploy/tests/test_manifest.py",
    "build-support/deploy/tests/test_traffic.py",
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository."""
    return copied(tmp_path_factory.mktemp("copy") / "repository")


@pytest.fixture(scope="module")
def before(repository: Path) -> dict[str, bytes]:
    return texts(repository)


@pytest.fixture(scope="module")
def root(repository: Path, before: dict[str, bytes]) -> Path:
    """The copy after the command of the documentation."""
    run(repository, "scaffold.new_service", "newcomer", "--calls", "chat")
    return repository


def run(root: Path, module: str, *arguments: str) -> str:
    """Run a program of the copy, which sees the copy's code only, and return its output."""
    roots = ("backend", "build-support", "build-support/packer", "terraform")
    here = {str(FILE.parent / each) for each in roots}
    others = [path for path in sys.path if path and path not in here]
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*(str(root / each) for each in roots), *others]),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_at_most_three_existing_files_change(root: Path, before: dict[str, bytes]) -> None:
    after = texts(root)
    assert len([path for path, text in before.items() if after[path] != text]) <= 3


def test_its_tests_and_those_of_all_that_lists_services_pass(root: Path) -> None:
    printed = run(root, "pytest", "-q", "-p", "no:cacheprovider", *TESTS)
    assert re.search(r"^\d+ passed in", printed, re.MULTILINE), printed


def test_ruff_has_no_finding(root: Path) -> None:
    run(root, "ruff", "check", "--no-cache", "backend/newcomer")
    run(root, "ruff", "format", "--check", "--no-cache", "backend/newcomer")


@NEEDS_TERRAFORM
def test_every_plan_is_as_the_tables_and_the_file_of_the_service_say(root: Path) -> None:
    printed = run(root, "pytest", "-q", "-p", "no:cacheprovider", "terraform/tests/test_estate.py")
    assert re.search(r"^\d+ passed in", printed, re.MULTILINE), printed


@NEEDS_TERRAFORM
def test_a_right_that_the_service_gets_besides_is_named(root: Path) -> None:
    mistakes = root / "terraform/tests/mutants/mistakes.toml"
    before = mistakes.read_text()
    mistakes.write_text(before + WIDER)
    try:
        printed = run(root, "tests.mutants", "--only", "newcomer may list all secrets")
    finally:
        mistakes.write_text(before)
    assert (
        "table of rights, plan dev: aws_iam_policy.lambda_newcomer_secrets: "
        'policy.ReadOwnKey.Action: added ["secretsmanager:ListSecrets"]'
    ) in printed


WIDER = """
[[mistake]]
name = "newcomer may list all secrets"
file = "terraform/lambda-newcomer.tf"
old = 'Action   = ["secretsmanager:GetSecretValue"]'
new = 'Action   = ["secretsmanager:GetSecretValue", "secretsmanager:ListSecrets"]'
"""


@NEEDS_TERRAFORM
@pytest.mark.parametrize(
    ("name", "options"),
    [("terraform", ["-var-file=environments/dev.tfvars"]), ("bootstrap", [])],
)
def test_terraform_plans_everything_of_it(
    root: Path, tmp_path: Path, name: str, options: list[str]
) -> None:
    layer = Layer(name, tmp_path / name, endpoint_url=None, repository=root)
    (layer.folder / "tests" / "packages").mkdir()
    for service in read(root / FILE.name):
        (layer.folder / "tests" / "packages" / f"{service}.zip").touch()
    shutil.copy(SUITES / f"{name}.tftest.hcl", layer.folder / "tests" / "newcomer.tftest.hcl")
    layer.run("init", "-backend=false", "-no-color", "-lockfile=readonly")
    layer.run("fmt", "-check", "-diff")
    printed = layer.run("test", "-no-color", "-filter=tests/newcomer.tftest.hcl", *options)
    assert "Success! 1 passed, 0 failed." in printed
