"""The rotation's package: a whole rotation, and events in an unknown form."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends

from local.aws.server import boto3_client
from local.blueprint import REGION
from local.tests.zips.zip_functions import KEYS, Surroundings, ZipFunction, zip_function

pytestmark = pytest.mark.anyio

SECRET = "fin-advisor/dev/client/api-key"


def client(surroundings: Surroundings, service: str) -> Any:
    return boto3_client(service, endpoint_url=surroundings.aws.url, region=REGION)


@pytest.fixture(scope="module")
def plan(surroundings: Surroundings) -> str:
    """The id of a usage plan with the client's key, which Terraform creates in AWS."""
    gateway = client(surroundings, "apigateway")
    key = gateway.create_api_key(name="fin-advisor-dev-client", value=KEYS["client"], enabled=True)
    plan_id = str(gateway.create_usage_plan(name="client")["id"])
    gateway.create_usage_plan_key(usagePlanId=plan_id, keyId=key["id"], keyType="API_KEY")
    return plan_id


@pytest.fixture
def version(surroundings: Surroundings) -> str:
    """A pending version without a value, with which Secrets Manager starts a rotation."""
    made = str(uuid.uuid4())
    arn = client(surroundings, "secretsmanager").describe_secret(SecretId=SECRET)["ARN"]
    # Written to moto's own record, because its RotateSecret requires a Lambda function.
    stored: Any = secretsmanager_backends[DEFAULT_ACCOUNT_ID][REGION].secrets[arn]
    stored.rotation_requested = stored.rotation_enabled = True
    stored.versions[made] = {
        "createdate": 0,
        "version_id": made,
        "version_stages": ["AWSPENDING"],
    }
    return made


@pytest.fixture
async def rotation(
    surroundings: Surroundings, plan: str, tmp_path: Path
) -> AsyncIterator[ZipFunction]:
    plans = json.dumps({"client": plan})
    async with zip_function(surroundings, "rotation", tmp_path, USAGE_PLAN_IDS=plans) as running:
        yield running
    assert running.refusals() == []


async def test_four_steps_make_a_new_key_current_and_print_none(
    surroundings: Surroundings, rotation: ZipFunction, version: str
) -> None:
    secrets = client(surroundings, "secretsmanager")
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        event = {"Step": step, "SecretId": SECRET, "ClientRequestToken": version}
        result = await rotation.invoke(event)
        assert json.loads(result.payload) == {"step": step, "completed": True}
        if step == "createSecret":
            pending = secrets.get_secret_value(SecretId=SECRET, VersionStage="AWSPENDING")
            surroundings.neighbours.keys.add(pending["SecretString"])
    answer = secrets.get_secret_value(SecretId=SECRET, VersionStage="AWSCURRENT")
    current = answer["SecretString"]
    assert current == pending["SecretString"] != KEYS["client"]
    assert ("GET", "/api/health", current) in surroundings.neighbours.calls
    await rotation.environment.stop()
    assert current not in rotation.output
    assert KEYS["client"] not in rotation.output


async def test_after_an_event_in_an_unknown_form_the_same_process_works(
    rotation: ZipFunction, version: str
) -> None:
    pid = rotation.pid
    for event in ({}, "text", None, {"httpMethod": "GET"}, {"test": "secrets"}):
        result = await rotation.invoke(event)
        assert result.function_error is None
        assert json.loads(result.payload)["error"] == "invalid_request"
    # Secrets Manager counts a step as failed only if its invocation fails.
    wrong = {"Step": "createSecret", "SecretId": SECRET, "ClientRequestToken": "x" * 36}
    assert (await rotation.invoke(wrong)).function_error == "Unhandled"
    step = {"Step": "createSecret", "SecretId": SECRET, "ClientRequestToken": version}
    assert json.loads((await rotation.invoke(step)).payload)["completed"] is True
    assert rotation.pid == pid
