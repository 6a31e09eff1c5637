"""Every command of docs/runbook.md that can run without an account runs here, from top to bottom.

The commands run in bash in a checkout beside an embedded AWS. A command that cannot run is listed
with its reason, so that nobody adds one to the runbook that is neither run nor explained.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from deploy.program import REPOSITORY
from deploy.tests.fakes import Code
from deploy.tests.rehearsal import Rehearsal, rehearsal
from deploy.tests.workflow import python_path
from local.blueprint import ACCOUNT_ID
from tests.harness import missing

_MISSING: Final = [tool for tool in ("curl", "git", "jq") if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}"),
    pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {_MISSING}"),
]

# What cannot run here, by its beginning.
ELSEWHERE: Final = {
    "gh api": "asks GitHub",
    "terraform -chdir=bootstrap": "terraform/tests/test_apply.py applies bootstrap/",
    "export REPOSITORY=": "needs bootstrap's state; the test sets the variable",
    "rm bootstrap/backend.tf": "needs bootstrap's state",
    "git add terraform/environments": "bootstrap's files",
    "aws ecr get-login-password": "a command of the AWS CLI itself, not of ECR",
    "aws secretsmanager rotate-secret": "invokes a function, which the embedded AWS cannot run",
    "./pants run build-support/deploy:doctor": "test_doctor.py runs it",
    "./pants run build-support/deploy:verify": "test_verify.py runs it",
    "./pants run build-support/deploy:revoke": "rotates keys, as above; test_revoke.py runs it",
    "./pants run build-support/deploy:restore -- --environment $ENV state": "test_restore_state.py",
}

# The runbook's examples, by what they are in an environment that was deployed once.
EXAMPLES: Final = {
    "api=41": "api=1",
    "chat=17": "chat=1",
    "--function-version 41": "--function-version 1",
    '"41"': '"1"',
}


def commands() -> Iterator[str]:
    """Yield the commands of the runbook's blocks; a continued line or here-document is one."""
    lines = iter((REPOSITORY / "docs" / "runbook.md").read_text().splitlines())
    for line in lines:
        if not re.match(r" {4,7}\S", line):
            continue
        command = line.strip()
        while command.endswith("\\"):
            command = command.removesuffix("\\") + next(lines).strip()
        if document := re.search(r"<<'(\w+)'$", command):
            while not command.endswith(f"\n{document[1]}"):
                command += "\n" + next(lines).strip()
        yield command


def _runs_here(command: str) -> bool:
    return not command.startswith(tuple(ELSEWHERE))


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with rehearsal(tmp_path_factory.mktemp("runbook")) as account:
        shutil.copytree(
            REPOSITORY / "bootstrap" / "accounts", account.checkout / "bootstrap" / "accounts"
        )
        code = Code("v1.0.0")
        shutil.copytree(account.build("v1.0.0", code), account.checkout / "dist")
        account.accept_any_image(code)
        cli = Path(__file__).with_name("aws_cli.py")
        for name, target in {
            "aws": f'"$PYTHON" {cli}',
            "curl": f"{shutil.which('curl')} --fail --noproxy '*'",
        }.items():
            script = account.checkout.parent / "bin" / name
            script.write_text(f'#!/usr/bin/env bash\nexec {target} "$@"\n')
            script.chmod(0o755)
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run([*git, "init", "-q"], cwd=account.checkout, check=True)
        subprocess.run(
            [*git, "commit", "-q", "--allow-empty", "-m", "-"], cwd=account.checkout, check=True
        )
        (account.checkout.parent / "docker-store").write_text("sha256:" + "1" * 64)
        yield account


def _script(run: list[str]) -> str:
    """Return a bash script that runs all commands in one shell and names the one that fails."""
    lines = [
        "set -eo pipefail",
        "trap 'echo \"FAILED: $BASH_COMMAND\" >&2' ERR",
        f"export REPOSITORY={ACCOUNT_ID}.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner",
    ]
    text = "\0".join(run)
    for example, value in EXAMPLES.items():
        text = text.replace(example, value)
    for command in text.split("\0"):
        # `yes` answers Terraform's question, as the operator does.
        asks = re.match(r"terraform (-chdir=\S+ )?(apply|destroy)", command)
        lines.append(f"{command} <<< yes" if asks else command)
    return "\n".join(lines)


def test_each_command_runs(account: Rehearsal) -> None:
    run = [command for command in commands() if _runs_here(command)]
    destroy = next(
        i for i, each in enumerate(run) if each.startswith("terraform -chdir=terraform destroy")
    )
    assert destroy > 15
    done = subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-c", _script(run)],
        cwd=account.checkout,
        env={
            **account.environment,
            "PYTHON": sys.executable,
            "PYTHONPATH": python_path(account.checkout),
            "MORE_ARGUMENTS": "",
            "TMPDIR": str(account.checkout.parent),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert '"healthy": true' in done.stdout  # /api/test
    assert '"answer": "It examines 47 parts."' in done.stdout  # /api/ask
    assert "Destroy complete!" in done.stdout


def test_each_exception_is_a_command_of_the_runbook() -> None:
    found = list(commands())
    unused = [start for start in ELSEWHERE if not any(each.startswith(start) for each in found)]
    assert unused == []


def test_the_runbook_needs_no_variable_but_its_own() -> None:
    text = "\n".join(commands())
    assert "TF_VAR_" not in text
    assert {"PROJECT", "ENV", "AWS_REGION"} <= set(re.findall(r"(\w+)=", text))
