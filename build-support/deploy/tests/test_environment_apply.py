"""The real terraform creates a developer's environment on the embedded AWS, and leaves nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deploy import environment
from local.aws.iam.calls import Call
from local.aws.iam.policies import Policies
from local.blueprint import REGION
from services.declared import SERVICES
from tests.embedded_aws import RecordedAws
from tests.gateway_tags import resource_tags, tagged_checks
from tests.harness import Layer, missing
from tests.lifecycle import leftovers
from tests.rendered_policies import RenderedPolicies

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}"),
]

NAME = "anna"
BUCKET = "fin-advisor-tfstate-123456789012-us-east-1"
BACKEND = f"""
bucket       = "{BUCKET}"
key          = "{NAME}/terraform.tfstate"
region       = "us-east-1"
encrypt      = true
use_lockfile = true
"""
TRUST = '{"Version": "2012-10-17", "Statement": []}'


@dataclass
class Life:
    """What an environment had while it existed, what is left, and the requests to AWS."""

    functions: set[str] = field(default_factory=set)
    buckets: set[str] = field(default_factory=set)
    printed: str = ""
    types: set[str] = field(default_factory=set)
    tags: Mapping[str, Any] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    calls: Sequence[Call] = ()


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    aws = RecordedAws()
    aws.serve()
    patch = pytest.MonkeyPatch()
    try:
        yield _live(aws, tmp_path_factory.mktemp("environment"), patch)
    finally:
        patch.undo()
        aws.stop()


def _live(aws: RecordedAws, folder: Path, patch: pytest.MonkeyPatch) -> Life:
    life = Life()
    layer = Layer("terraform", folder / "terraform", endpoint_url=aws.url, s3_backend=True)
    (layer.folder / "environments" / f"{NAME}.s3.tfbackend").write_text(BACKEND)
    (folder / "dist").mkdir()
    for service in SERVICES:
        (folder / "dist" / f"{service}.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    for role in ("deploy", "scheduler", *(f"lambda-{service}" for service in SERVICES)):
        aws.client("iam").create_role(
            RoleName=f"fin-advisor-{NAME}-{role}", AssumeRolePolicyDocument=TRUST
        )
    store = aws.client("s3")
    store.create_bucket(Bucket=BUCKET)
    for key, value in layer.environment().items():
        patch.setenv(key, value)
    patch.setenv("TF_CLI_ARGS_apply", "-parallelism=20 -compact-warnings")
    patch.setattr(environment, "client", lambda service, *_: aws.client(service))
    options = ["--terraform", str(layer.folder)]

    began = len(aws.recorder.calls)
    environment.main([*options, "create", NAME, "--yes"])
    created = aws.recorder.calls[began:]
    life.functions = {
        item["FunctionName"] for item in aws.client("lambda").list_functions()["Functions"]
    }
    life.buckets = {item["Name"] for item in store.list_buckets()["Buckets"]} - {BUCKET}
    state = store.get_object(Bucket=BUCKET, Key=f"{NAME}/terraform.tfstate")["Body"].read()
    life.types = {
        item["type"]
        for item in json.loads(state)["resources"]
        if item["mode"] == "managed" and item["instances"]
    }
    life.tags = resource_tags(layer.state())
    for bucket in life.buckets:
        for body in (b"first", b"second"):
            store.put_object(Bucket=bucket, Key="documents/one", Body=body)
        store.delete_object(Bucket=bucket, Key="documents/one")

    began = len(aws.recorder.calls)
    environment.main([*options, "destroy", NAME, "--yes"])
    life.calls = [*created, *aws.recorder.calls[began:]]
    life.left = {*leftovers(aws), *aws.leftovers()}
    life.files = {path.name for path in (layer.folder / "environments").iterdir()}
    return life


def test_every_service_runs_as_a_function_with_the_environments_name(life: Life) -> None:
    assert life.functions == {f"fin-advisor-{NAME}-{name}" for name in SERVICES}
    assert {name.removeprefix(f"fin-advisor-{NAME}-").split("-")[0] for name in life.buckets} == {
        "vectors",
        "jobs",
        "records",
    }
    assert "aws_lambda_function" in life.types
    assert not [type_ for type_ in life.types if type_.startswith("aws_apprunner_")]


def test_nothing_is_left_of_a_destroyed_environment(life: Life) -> None:
    """Its buckets contained versions and delete markers. bootstrap's roles and the state stay."""
    roles = {"deploy", "scheduler", *(f"lambda-{service}" for service in SERVICES)}
    expected = {f"iam fin-advisor-{NAME}-{role}" for role in roles} | {f"s3 {BUCKET}"}
    assert life.left == expected
    assert f"{NAME}.tfvars" not in life.files


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Policies:
    rendered = RenderedPolicies(
        tmp_path_factory.mktemp("rendered"),
        environments=["dev"],
        developer_environments={NAME: ["arn:aws:iam::123456789012:role/developer"]},
    )
    return rendered.of_role(f"fin-advisor-{NAME}-deploy")


def test_the_environments_own_role_may_do_all_of_it(life: Life, policies: Policies) -> None:
    checks: set[Any] = {
        check
        for call in life.calls
        if call.service != "sts"
        for check in tagged_checks(call, REGION, life.tags)
    }
    assert len(checks) > 200
    refused = sorted(
        f"{one.action} on {one.resource}" for one in checks if not policies.allows(one)
    )
    assert not refused, "\n".join(["The role of the environment lacks:", *refused])
