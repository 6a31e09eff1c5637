"""Rotates API keys in the embedded AWS with the rotation function's own code."""

import uuid
from typing import Any

from moto.secretsmanager.models import secretsmanager_backends

from local.blueprint import ACCOUNT_ID, REGION
from rotation.settings import Settings
from rotation.steps import Rotation
from tests.embedded_aws import RecordedAws
from tests.harness import State


def rotate(aws: RecordedAws, state: State, name: str) -> None:
    """Rotate one key as the function does, without the trial call, which needs a real gateway."""
    functions = state.resources("aws_lambda_function")
    variables = functions["module.rotation[0].aws_lambda_function.main"]["environment"][0]
    settings = Settings(**{key.lower(): value for key, value in variables["variables"].items()})
    secret = f"{settings.project_name}/{settings.environment}/{name}/api-key"
    secrets = state.resources("aws_secretsmanager_secret").values()
    arn = next(item["arn"] for item in secrets if item["name"] == secret)
    version = _begin(arn)
    rotation = Rotation(
        settings,
        secrets=aws.client("secretsmanager"),
        gateway=aws.client("apigateway"),
        ssm=aws.client("ssm"),
        secret_id=arn,
        version=version,
    )
    for step in ("createSecret", "setSecret", "finishSecret"):
        rotation.run(step)


def _begin(arn: str) -> str:
    """Add a pending version without a value, as Secrets Manager does before the first step.

    moto's own object is changed, because its RotateSecret invokes a Lambda function.
    """
    stored: Any = secretsmanager_backends[ACCOUNT_ID][REGION].secrets[arn]
    stored.rotation_requested = stored.rotation_enabled = True
    version = str(uuid.uuid4())
    stored.versions[version] = {
        "createdate": 0, "version_id": version, "version_stages": ["AWSPENDING"]
    }  # fmt: skip
    return version
