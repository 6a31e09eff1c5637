"""requirements.md's own commands work in a new shell, whatever happened to the environment before.

The shell has the account's credentials and nothing else: no TF_VAR_ variable, and no option that
requirements.md does not have. The AWS is embedded, the terraform real.
"""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.program import REPOSITORY
from deploy.tests.rehearsal import prepare_account
from deploy.tests.workflow import python_path
from local.aws.server import TEST_CREDENTIALS, boto3_client
from local.aws.terraform_aws import TerraformAws
from local.net.proxies import proxies_except_loopback
from local.terraform.layer_copy import LayerCopy
from services.declared import SERVICES
from tests.harness import missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}"),
]

INIT: Final = "terraform init -backend-config=environments/dev.s3.tfbackend"
APPLY: Final = 'terraform apply -var-file="environments/dev.tfvars"'
PLAN: Final = 'terraform plan -no-color -var-file="environments/dev.tfvars"'


class Estate:
    """A checkout beside an embedded AWS account that bootstrap/ has prepared."""

    def __init__(self, folder: Path, aws: TerraformAws) -> None:
        self._aws = aws
        self.checkout = folder / "checkout"
        (self.checkout / "dist").mkdir(parents=True)
        self._layer = LayerCopy(
            "terraform", self.checkout / "terraform", endpoint_url=aws.url, s3_backend=True
        )
        prepare_account(self.client)
        self.client("s3").create_bucket(Bucket="fin-advisor-tfstate-000000000000-us-east-1")
        self.package("first")

    def client(self, service: str) -> Any:
        return boto3_client(service, endpoint_url=self._aws.url, region="us-east-1")

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a new shell; the file replaces access to Terraform's registry."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.checkout.parent),
            "TF_CLI_CONFIG_FILE": self._layer.environment()["TF_CLI_CONFIG_FILE"],
            "AWS_EC2_METADATA_DISABLED": "true",
            **proxies_except_loopback(os.environ),
            **TEST_CREDENTIALS,
        }

    def package(self, content: str) -> None:
        for name in SERVICES:
            with zipfile.ZipFile(self.checkout / "dist" / f"{name}.zip", "w") as package:
                entry = zipfile.ZipInfo("lambda_function.py", (1980, 1, 1, 0, 0, 0))
                package.writestr(entry, f"# {name} {content}")

    def push_image(self, tag: str, digest: str) -> str:
        """Push an image and return its name by digest."""
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        config = {"digest": f"sha256:{digest * 64}"}
        manifest = {"schemaVersion": 2, "mediaType": kind, "layers": [], "config": config}
        self.client("ecr").put_image(
            repositoryName="fin-advisor/runner",
            imageTag=tag,
            imageManifest=json.dumps(manifest),
            imageDigest=f"sha256:{digest * 64}",
        )
        return f"fin-advisor/runner@sha256:{digest * 64}"

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in terraform/, and answer `yes` to a question."""
        return subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-c", command],
            cwd=self.checkout / "terraform",
            env=self.environment,
            input="yes\n",
            capture_output=True,
            text=True,
            check=False,
        )

    def apply(self) -> None:
        done = self.shell(APPLY)
        assert done.returncode == 0, done.stdout + done.stderr

    def planned(self) -> list[str]:
        """Return what a plan would do to resources; a moved alias only changes an output."""
        done = self.shell(PLAN)
        assert done.returncode == 0, done.stdout + done.stderr
        # Before the actions, Terraform lists what the rollback has changed.
        actions = done.stdout.partition("Terraform will perform the following actions:")[2]
        resources = actions.partition("Changes to Outputs:")[0]
        # moto keeps the empty routing_config that a moved alias is written with, and the plan
        # removes it. That moves no traffic: a moved version is shown as `"2" -> "1"`.
        return [
            block
            for block in re.split(r"^  # ", resources, flags=re.MULTILINE)[1:]
            if '" -> "' in block or not re.search(r"- routing_config \{", block)
        ]

    def program(self, name: str, *arguments: str) -> str:
        options = ["--environment", "dev", "--terraform", str(self.checkout / "terraform")]
        done = subprocess.run(
            [sys.executable, "-m", f"deploy.{name}", *options, *arguments],
            cwd=self.checkout,
            env={
                **self.environment,
                "AWS_ENDPOINT_URL": self._aws.url,
                "AWS_REGION": "us-east-1",
                "PYTHONPATH": python_path(REPOSITORY),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def version(self, service: str) -> str:
        alias = self.client("lambda").get_alias(
            FunctionName=f"fin-advisor-dev-{service}", Name="live"
        )
        return str(alias["FunctionVersion"])

    def image(self) -> str:
        [service] = self._aws.app_runner.services.values()
        image = service["SourceConfiguration"]["ImageRepository"]["ImageIdentifier"]
        return str(image).partition("/")[2]


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    aws = TerraformAws()
    aws.serve()
    try:
        yield Estate(tmp_path_factory.mktemp("new-shell"), aws)
    finally:
        aws.stop()


def test_the_commands_work_the_first_time_after_a_rollback_and_after_a_promotion(
    estate: Estate,
) -> None:
    done = estate.shell(INIT)
    assert done.returncode == 0, done.stdout + done.stderr

    refused = estate.shell(APPLY)
    assert refused.returncode == 1
    message = " ".join(re.sub(r"\x1b\[\d*m|│", " ", refused.stderr).split())
    assert message.count("Error:") == 1
    assert "fin-advisor/runner has no image yet. Push one (docs/runbook.md" in message

    # A first time: the newest image and the newest versions.
    first = estate.push_image("commit-1", "1")
    estate.apply()
    assert (estate.version("api"), estate.image()) == ("1", first)
    assert estate.planned() == []

    # While nothing has been promoted or rolled back, an apply deploys what is newest.
    estate.package("second")
    second = estate.push_image("commit-2", "2")
    estate.apply()
    assert (estate.version("api"), estate.version("chat")) == ("2", "2")
    assert estate.image() == second

    # After a rollback, which stays.
    estate.program("rollback", "--version", "api=1")
    third = estate.push_image("commit-3", "3")
    assert estate.planned() == []
    estate.package("third")
    estate.apply()
    assert (estate.version("api"), estate.version("chat")) == ("1", "2")
    assert estate.image() == second

    # After a promotion.
    estate.program("promote", "--image", f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{third}")
    assert (estate.version("api"), estate.version("chat"), estate.image()) == ("3", "3", third)
    assert estate.planned() == []
    estate.apply()
    assert (estate.version("api"), estate.image()) == ("3", third)

    # A variable that is set wins, and is not remembered.
    chosen = estate.shell(f"{APPLY} -auto-approve -var='live_versions={{api=\"2\"}}'")
    assert chosen.returncode == 0, chosen.stderr
    assert (estate.version("api"), estate.version("chat")) == ("2", "3")
    estate.apply()
    assert estate.version("api") == "3"

    # Nothing is remembered beyond a destroy.
    destroyed = estate.shell('terraform destroy -var-file="environments/dev.tfvars"')
    assert destroyed.returncode == 0, destroyed.stderr
    assert estate.client("ssm").describe_parameters()["Parameters"] == []
