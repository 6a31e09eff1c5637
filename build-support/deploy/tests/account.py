"""An embedded account as bootstrap/ leaves it, and a checkout of the files that programs read."""

import json
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from deploy.program import REPOSITORY
from deploy.tests.fakes import FakeAccount
from local.aws.app_runner import AppRunner
from local.aws.bedrock_api import BedrockApi
from local.aws.server import EmbeddedAws, StandIn, boto3_client
from local.bedrock.runtime import Bedrock
from local.blueprint import ACCOUNT_ID, REGION
from services.declared import CONTAINERS, SERVICES

BUCKET: Final = f"fin-advisor-tfstate-{ACCOUNT_ID}-{REGION}"
PROVIDER: Final = f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/token.actions.githubusercontent.com"
ROLES: Final = [
    *(f"lambda-{name}" for name in SERVICES),
    *(f"apprunner-{name}" for name in (*CONTAINERS, "image")),
    "scheduler",
]
TRUST: Final = '{"Version": "2012-10-17", "Statement": []}'
IMAGE: Final = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": "sha256:" + "1" * 64},
        "layers": [],
    }
)


class Account:
    """An embedded account as bootstrap/ leaves it, with one client of each service."""

    def __init__(self, *stand_ins: StandIn) -> None:
        self.fake = FakeAccount()
        self._aws = EmbeddedAws([*stand_ins, self.fake, AppRunner(), BedrockApi(Bedrock())])
        self._aws.serve()
        self._clients: dict[str, Any] = {}
        self.renew()  # All embedded accounts of a process share what moto stores.

    def client(self, service: str, region: str = REGION) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3_client(
                service, endpoint_url=self._aws.url, region=region
            )
        return self._clients[service]

    def renew(self) -> None:
        """Delete everything, and create what bootstrap/ creates."""
        request = urllib.request.Request(f"{self._aws.url}/moto-api/reset", method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=60):  # noqa: S310 - the embedded AWS
            _bootstrap(self.client)

    def stop(self) -> None:
        self._aws.stop()


def checkout(folder: Path) -> Path:
    """Copy Terraform's files of the environments, as bootstrap/ leaves them; return the copy."""
    shutil.copytree(REPOSITORY / "terraform" / "environments", folder / "environments")
    for name in ("variables.tf", "locals.tf"):
        shutil.copy(REPOSITORY / "terraform" / name, folder)
    backend = folder / "environments" / "dev.s3.tfbackend"
    backend.write_text(backend.read_text().replace("000000000000", ACCOUNT_ID))
    return folder


def _bootstrap(client: Callable[[str], Any]) -> None:
    iam = client("iam")
    for role in ROLES:
        iam.create_role(RoleName=f"fin-advisor-dev-{role}", AssumeRolePolicyDocument=TRUST)
    iam.create_role(RoleName="AWSServiceRoleForAppRunner", AssumeRolePolicyDocument=TRUST)
    iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"]
    )
    client("s3").create_bucket(Bucket=BUCKET)
    set_gateway_role(client, f"arn:aws:iam::{ACCOUNT_ID}:role/fin-advisor-apigateway-logs")
    client("ecr").create_repository(repositoryName="fin-advisor/runner")
    client("ecr").put_image(
        repositoryName="fin-advisor/runner", imageTag="commit-1", imageManifest=IMAGE
    )


def set_gateway_role(client: Callable[[str], Any], arn: str) -> None:
    client("apigateway").update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": arn}]
    )
