"""A rehearsal of deploys: a checkout with the real Terraform, and an embedded AWS account."""

import base64
import hashlib
import os
import shutil
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.manifest import bill_of
from deploy.tests.fakes import DOCKER, Code, Estate, Wsgi, image_archive, serving
from deploy.tests.workflow import JobRun, install, run_job
from local.aws.bedrock_api import BedrockApi
from local.aws.server import boto3_client
from local.aws.terraform_aws import TerraformAws
from local.bedrock.runtime import Bedrock
from local.blueprint import ACCOUNT_ID
from local.terraform.layer_copy import REPOSITORY, LayerCopy
from services.declared import CONTAINERS, SERVICES

_REGISTRY: Final = f"{ACCOUNT_ID}.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner"

# The roles that bootstrap/ creates and terraform/ looks up.
_ROLES: Final = (
    *(f"lambda-{name}" for name in SERVICES),
    *(f"apprunner-{name}" for name in (*CONTAINERS, "image")),
    "scheduler",
)
_TRUST: Final = '{"Version": "2012-10-17", "Statement": []}'


@dataclass(frozen=True)
class Response:
    """A response, when its request began and ended, and the release that sent it."""

    began: float
    ended: float
    status: int
    release: str


@dataclass
class Client:
    """A client program that calls `/api/test` again and again."""

    url: str
    key: str
    responses: list[Response] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def call(self) -> Response:
        """Call `/api/test` once."""
        began = time.monotonic()
        response = httpx.get(
            f"{self.url}/api/test", headers={"x-api-key": self.key}, timeout=httpx.Timeout(30)
        )
        release = str(response.json().get("release", ""))
        return Response(began, time.monotonic(), response.status_code, release)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Call again and again in the background."""
        self._stop.clear()
        thread = threading.Thread(target=self._call_repeatedly, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(timeout=30)

    def _call_repeatedly(self) -> None:
        while not self._stop.wait(0.5):
            self.responses.append(self.call())


@dataclass
class Deploy:
    """The result of a deploy, and the time at which each of its steps began."""

    run: JobRun
    began: dict[str, float]


def prepare_account(client: Callable[[str], Any]) -> None:
    """Create what bootstrap/ creates and terraform/ needs: the roles and the image repository."""
    iam = client("iam")
    for role in _ROLES:
        name = f"fin-advisor-dev-{role}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_TRUST)
    client("ecr").create_repository(repositoryName="fin-advisor/runner")


class Rehearsal:
    """The checkout and the account in which `deploy` runs the steps of the workflow."""

    def __init__(self, folder: Path, aws: TerraformAws, estate: Estate) -> None:
        self._folder = folder
        self._url = aws.url
        self._estate = estate
        self._clients: dict[str, Any] = {}
        self._making_clients = threading.Lock()
        estate.client = self.client
        estate.runner_image = lambda: _only_image(aws)
        self.checkout = folder / "checkout"
        self.checkout.mkdir()
        shutil.copytree(
            REPOSITORY / "build-support" / "deploy",
            self.checkout / "build-support" / "deploy",
            ignore=shutil.ignore_patterns("__pycache__", "tests"),
        )
        install(self.checkout)
        LayerCopy("terraform", self.checkout / "terraform", endpoint_url=aws.url)
        docker = folder / "bin" / "docker"
        docker.parent.mkdir()
        docker.write_text(DOCKER)
        docker.chmod(0o755)
        prepare_account(self.client)

    def client(self, service: str) -> Any:
        """Return a boto3 client of the account. It is cached: creating one takes 0.1 s."""
        with self._making_clients:
            if service not in self._clients:
                self._clients[service] = boto3_client(
                    service, endpoint_url=self._url, region="us-east-1"
                )
            return self._clients[service]

    def point_to(self, gateway: str) -> None:
        """Set Terraform's output of the gateway's URL, and store the state in a file."""
        folder = self.checkout / "terraform"
        override = f'output "api_gateway_url" {{\n  value = "{gateway}/dev"\n}}\n'
        (folder / "gateway_override.tf").write_text(override)
        state = self._folder / "dev.tfstate"
        (folder / "environments" / "dev.s3.tfbackend").write_text(f'path = "{state}"\n')

    def build(self, release: str, code: Code) -> Path:
        """Write what the build job writes for a release, except the manifest."""
        folder = self._folder / release
        folder.mkdir()
        for name in SERVICES:
            path = folder / f"{name}.zip"
            with zipfile.ZipFile(path, "w") as package:
                entry = zipfile.ZipInfo("lambda_function.py", (1980, 1, 1, 0, 0, 0))
                package.writestr(entry, f"# {name} of {release}")
            digest = hashlib.sha256(path.read_bytes()).digest()
            (folder / bill_of(path.name)).write_bytes(b"{}")
            self._estate.codes[base64.b64encode(digest).decode()] = code
        image_archive(folder / "runner-image.tar", release)
        return folder

    def deploy(self, release: str, artifact: Path, manifest_sha256: str, code: Code) -> Deploy:
        """Run the job of deploy-environment.yml for dev."""
        began: dict[str, float] = {}

        def download() -> None:
            shutil.rmtree(self.checkout / "dist", ignore_errors=True)
            shutil.copytree(artifact, self.checkout / "dist")

        def watch(step: str) -> None:
            began[step] = time.monotonic()
            if step == "Plan":
                self._register_image(release, code)

        run = run_job(
            "deploy-environment.yml",
            "deploy",
            self.checkout,
            values={
                "!github.event.repository.private && startsWith(inputs.release, 'v')": "false",
                "inputs.environment": "dev",
                "inputs.release": release,
                "inputs.sha256": manifest_sha256,
                "inputs.allow_replace": "",
                "inputs.contract": "false",
                "github.token": "token",
                "vars.ALARM_EMAILS || '[]'": "[]",
                "vars.ECR_RUNNER_REPOSITORY": _REGISTRY,
            },
            environment=self.environment,
            actions={"actions/download-artifact": download},
            watch=watch,
        )
        return Deploy(run, began)

    def accept_any_image(self, code: Code) -> None:
        """Let every image that is pushed later run a release's code."""
        self._estate.codes = defaultdict(lambda: code, self._estate.codes)

    def _register_image(self, release: str, code: Code) -> None:
        found = self.client("ecr").describe_images(repositoryName="fin-advisor/runner")
        for image in found["imageDetails"]:
            if release in image.get("imageTags", []):
                self._estate.codes[f"{_REGISTRY}@{image['imageDigest']}"] = code

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every step: this machine's variables and the account's keys."""
        return {
            **{name: value for name, value in os.environ.items() if name.startswith("GO")},
            "PATH": f"{self._folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self._folder),
            "AWS_ENDPOINT_URL": self._url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DOCKER_STORE": str(self._folder / "docker-store"),
            "TF_CLI_CONFIG_FILE": str(self.checkout / "terraform.tfrc"),
            "GOGC": os.environ.get("GOGC", "100"),
            "TF_CLI_ARGS_plan": "-parallelism=20 -compact-warnings",
            "TF_CLI_ARGS_apply": "-parallelism=20 -compact-warnings",
        }

    def client_program(self) -> Client:
        """Return a client program with the API key `client`."""
        secret = self.client("secretsmanager").get_secret_value(
            SecretId="fin-advisor/dev/client/api-key"
        )
        return Client(self.gateway, secret["SecretString"])

    gateway = ""


class _Account(TerraformAws):
    """The embedded AWS with functions that can be invoked."""

    def __init__(self, estate: Estate) -> None:
        super().__init__()
        self._estate = estate

    def front(self, moto: Wsgi) -> Wsgi:
        return self._estate.invocations(super().front(moto))


def _only_image(aws: TerraformAws) -> str:
    [service] = aws.app_runner.services.values()
    return str(service["SourceConfiguration"]["ImageRepository"]["ImageIdentifier"])


@contextmanager
def rehearsal(folder: Path) -> Iterator[Rehearsal]:
    """Start an empty account and a fake of its gateway, and prepare a checkout."""
    estate = Estate()
    aws = _Account(estate)
    aws.add(BedrockApi(Bedrock()))
    aws.serve()
    try:
        with serving(estate.gateway) as web:
            made = Rehearsal(folder, aws, estate)
            made.point_to(web)
            made.gateway = f"{web}/dev"
            yield made
    finally:
        aws.stop()
