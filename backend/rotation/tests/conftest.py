"""For each test: the resources that Terraform creates, and a gateway in front of them."""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends

from rotation import handler as entry
from rotation.tests.fakes import Answer, FakeGateway

_REGION = "us-east-1"
_numbers = itertools.count()

MakeEstate = Callable[..., "Estate"]


@dataclass
class Estate:
    """What Terraform creates before the first rotation: secret, key and usage plan; and a gateway.

    The gateway accepts enabled keys of the usage plan, but refuses each one `refusals` times first.
    """

    project: str
    secrets: Any
    apigateway: Any
    ssm: Any
    name: str = "api"
    refusals: int = 0
    broken: int | None = None
    refused: dict[str, int] = field(default_factory=dict)
    gateway: FakeGateway = field(init=False)
    # Answers of the usage API in test_quota.py.
    usage: dict[str, Any] = field(default_factory=dict)
    quota: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gateway = FakeGateway(self._answer)
        self.terraform_key = self.apigateway.create_api_key(
            name=f"{self.project}-dev-{self.name}", enabled=True, tags={"ManagedBy": "terraform"}
        )
        self.plan = self.apigateway.create_usage_plan(name=f"{self.project}-dev-{self.name}")["id"]
        self.attach(self.terraform_key)
        self.secret = f"{self.project}/dev/{self.name}/api-key"
        self.arn = self.secrets.create_secret(
            Name=self.secret, SecretString=self.terraform_key["value"]
        )["ARN"]
        self.parameter = f"/{self.project}/dev/api-key-ids"
        self.ssm.put_parameter(
            Name=self.parameter,
            Type="String",
            Overwrite=True,  # botocore may repeat the call on a busy machine
            Value=json.dumps({self.name: [self.terraform_key["id"]]}),
        )
        self.stored.rotation_requested = self.stored.rotation_enabled = True

    @property
    def stored(self) -> Any:
        """moto's own object of the secret, to set what only RotateSecret could set.

        moto's RotateSecret requires a Lambda function.
        """
        return secretsmanager_backends[DEFAULT_ACCOUNT_ID][_REGION].secrets[self.arn]

    def attach(self, key: dict[str, Any]) -> None:
        """Add a key to the usage plan."""
        self.apigateway.create_usage_plan_key(
            usagePlanId=self.plan, keyId=key["id"], keyType="API_KEY"
        )

    def begin(self) -> str:
        """Create a pending version without a value, like Secrets Manager before the first step."""
        version = str(uuid.uuid4())
        self.stored.remove_version_stages_from_old_versions(["AWSPENDING"])
        self.stored.versions[version] = {
            "createdate": 0, "version_id": version, "version_stages": ["AWSPENDING"]
        }  # fmt: skip
        return version

    def step(self, name: str, version: str, seconds: float = 30.0) -> dict[str, Any]:
        event = {"Step": f"{name}Secret", "SecretId": self.arn, "ClientRequestToken": version}
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)
        return entry.handler(event, context)

    def rotate(self) -> str:
        version = self.begin()
        for name in ("create", "set", "test", "finish"):
            self.step(name, version)
        return version

    def value(self, stage: str = "AWSCURRENT") -> str:
        answer = self.secrets.get_secret_value(SecretId=self.arn, VersionStage=stage)
        return str(answer["SecretString"])

    def stages(self) -> dict[str, list[str]]:
        described = self.secrets.describe_secret(SecretId=self.arn)
        return dict(described["VersionIdsToStages"])

    def keys(self) -> dict[str, Any]:
        """This estate's API Gateway keys by value."""
        items = self.apigateway.get_api_keys(
            nameQuery=f"{self.project}-dev-", includeValues=True, limit=500
        )["items"]
        return {item["value"]: item for item in items}

    def ids(self) -> dict[str, list[str]]:
        """The ids of keys by name, as services read them."""
        value = self.ssm.get_parameter(Name=self.parameter)["Parameter"]["Value"]
        return dict(json.loads(value))

    def call(self, key: str) -> int:
        """Return the gateway's status for a request with this key."""
        return self._answer("/api/health", key)[0]

    def _answer(self, path: str, key: str | None) -> Answer:
        if not path.endswith("/health"):
            return 403, {"message": "Missing Authentication Token"}
        attached = self.apigateway.get_usage_plan_keys(usagePlanId=self.plan)["items"]
        allowed = {item["value"] for item in attached} & {
            value for value, item in self.keys().items() if item["enabled"]
        }
        if key is None or key not in allowed:
            return 403, {"message": "Forbidden"}
        if self.refused.setdefault(key, 0) < self.refusals:
            self.refused[key] += 1
            return 403, {"message": "Forbidden"}
        if self.broken:
            return self.broken, {"message": "Internal server error"}
        return 200, {"status": "healthy"}


@pytest.fixture
def make_estate(aws: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeEstate]:
    """Return a factory of estates whose environment variables the handler reads."""
    opened = []

    def make(**options: Any) -> Estate:
        estate = Estate(
            f"p{next(_numbers)}x{uuid.uuid4().hex[:6]}",
            # Not the function's own clients: moto's first answer of a service may take longer than
            # their timeout, on a busy machine.
            boto3.client("secretsmanager"),
            boto3.client("apigateway"),
            boto3.client("ssm"),
            **options,
        )
        serving = estate.gateway.serving()
        serving.__enter__()
        opened.append(serving)
        for name, value in {
            "PROJECT_NAME": estate.project,
            "ENVIRONMENT": "dev",
            "SERVICE_NAME": "rotation",
            "API_GATEWAY_URL": f"{estate.gateway.url}/dev",
            "USAGE_PLAN_IDS": json.dumps({estate.name: estate.plan}),
            "TERRAFORM_API_KEY_IDS": json.dumps({estate.name: estate.terraform_key["id"]}),
            "SERVICE_PATHS": json.dumps({estate.name: f"/{estate.name}/health"}),
        }.items():
            monkeypatch.setenv(name, value)
        entry._settings.cache_clear()
        monkeypatch.setattr(entry, "_PAUSE_SECONDS", 0.01)
        return estate

    yield make
    for serving in opened:
        serving.__exit__(None, None, None)
    entry._settings.cache_clear()
