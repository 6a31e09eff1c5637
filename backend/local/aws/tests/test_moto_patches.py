"""The patches of moto: what works with them, and that moto still needs them."""

import importlib
import importlib.metadata
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.server import EmbeddedAws, boto3_client
from local.aws.terraform_aws import TerraformAws

PATCHED_VERSION = "5.2.5"
_MODULE = "local.aws.tests.test_moto_patches"
VERSION = importlib.metadata.version("moto")

REPLACED = {
    "moto.awslambda.models.LayerStorage.get_layer_version_by_arn": (
        "(self, layer_version_arn: 'str') -> 'LayerVersion | None'"
    ),
    "moto.apigateway.models.Method.create_from_cloudformation_json": (
        "(cls, resource_name: str, cloudformation_json: dict[str, typing.Any], account_id: str, "
        "region_name: str, **kwargs: Any) -> 'Method'"
    ),
    "moto.apigateway.models.Integration.to_json": "(self) -> dict[str, typing.Any]",
    "moto.s3.models.FakeBucket.get_permission": "(self, action: 'str', resource: 'str') -> 'Any'",
    "moto.s3.models.FakeDeleteMarker.dispose": None,  # moto calls it and does not define it
    "moto.secretsmanager.models.FakeSecret.reset_default_version": (
        "(self, secret_version: 'dict[str, Any]', version_id: 'str') -> 'None'"
    ),
}


@pytest.fixture
def aws() -> Iterator[TerraformAws]:
    served = TerraformAws()
    served.serve()
    yield served
    served.stop()


def client(service: str, aws: EmbeddedAws) -> Any:
    return boto3_client(service, endpoint_url=aws.url, region="us-east-1")


def empty_a_versioned_bucket(aws: EmbeddedAws) -> None:
    storage, bucket = client("s3", aws), "to-be-emptied"
    storage.create_bucket(Bucket=bucket)
    storage.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    storage.put_object(Bucket=bucket, Key="one", Body=b"1")
    storage.delete_object(Bucket=bucket, Key="one")
    # Terraform suspends versioning before it empties the bucket.
    storage.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    found = storage.list_object_versions(Bucket=bucket)
    for version in [*found["Versions"], *found["DeleteMarkers"]]:
        storage.delete_object(Bucket=bucket, Key="one", VersionId=version["VersionId"])
    storage.delete_bucket(Bucket=bucket)


def keep_the_labels_of_a_secret(aws: EmbeddedAws) -> None:
    secrets, first, second = client("secretsmanager", aws), "1" * 32, "2" * 32
    secrets.create_secret(Name="labelled", SecretString="a", ClientRequestToken=first)
    secrets.update_secret_version_stage(
        SecretId="labelled", VersionStage="made-by-terraform", MoveToVersionId=first
    )
    secrets.put_secret_value(
        SecretId="labelled",
        SecretString="b",
        ClientRequestToken=second,
        VersionStages=["AWSCURRENT"],
    )
    stages = secrets.describe_secret(SecretId="labelled")["VersionIdsToStages"]
    assert set(stages[first]) == {"AWSPREVIOUS", "made-by-terraform"}
    assert stages[second] == ["AWSCURRENT"]


def use_a_bucket_whose_policy_has_conditions(aws: EmbeddedAws) -> None:
    storage, bucket = client("s3", aws), "secure"
    storage.create_bucket(Bucket=bucket)
    storage.put_bucket_policy(
        Bucket=bucket,
        Policy="""{"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::secure", "arn:aws:s3:::secure/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, {
            "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::secure/*",
            "Condition": {"Null": {"s3:if-none-match": "true"}}}]}""",
    )
    storage.put_object(Bucket=bucket, Key="one", Body=b"1")


def use_a_layer_of_another_account(aws: EmbeddedAws) -> None:
    trust = '{"Version": "2012-10-17", "Statement": []}'
    role = client("iam", aws).create_role(RoleName="layered", AssumeRolePolicyDocument=trust)
    layer = "arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-python-amd64-ver-1-32-0:2"
    functions = client("lambda", aws)
    functions.create_function(
        FunctionName="layered",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="lambda_function.handler",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},  # an empty zip
        Layers=[layer],
    )
    made = functions.get_function_configuration(FunctionName="layered")
    assert [item["Arn"] for item in made["Layers"]] == [layer]


def make_a_method_that_streams(aws: EmbeddedAws) -> None:
    gateway, stacks = client("apigateway", aws), client("cloudformation", aws)
    api = gateway.create_rest_api(name="streaming")["id"]
    [root] = gateway.get_resources(restApiId=api)["items"]
    place = {"restApiId": api, "resourceId": root["id"], "httpMethod": "POST"}

    def template(seconds: int) -> str:
        integration = {
            "Type": "AWS_PROXY",
            "IntegrationHttpMethod": "POST",
            "Uri": "arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/"
            "arn:aws:lambda:us-east-1:123456789012:function:f:live/response-streaming-invocations",
            "ResponseTransferMode": "STREAM",
            "TimeoutInMillis": seconds * 1000,
        }
        properties = {
            "RestApiId": api,
            "ResourceId": root["id"],
            "HttpMethod": "POST",
            "AuthorizationType": "COGNITO_USER_POOLS",
            "AuthorizerId": "a1",
            "ApiKeyRequired": True,
            "Integration": integration,
        }
        resources = {"Stream": {"Type": "AWS::ApiGateway::Method", "Properties": properties}}
        return json.dumps({"Resources": resources})

    for seconds, change in ((120, stacks.create_stack), (60, stacks.update_stack)):
        change(StackName="streaming", TemplateBody=template(seconds))
        made = gateway.get_method(**place)
        assert (made["authorizerId"], made["apiKeyRequired"]) == ("a1", True)
        assert made["methodIntegration"]["timeoutInMillis"] == seconds * 1000
        assert made["methodIntegration"]["responseTransferMode"] == "STREAM"
    stacks.delete_stack(StackName="streaming")
    with pytest.raises(ClientError):
        gateway.get_method(**place)


USES = [
    empty_a_versioned_bucket,
    keep_the_labels_of_a_secret,
    make_a_method_that_streams,
    use_a_bucket_whose_policy_has_conditions,
    use_a_layer_of_another_account,
]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_it_works_with_the_patch(use: Any, aws: TerraformAws) -> None:
    use(aws)


@pytest.fixture(scope="module")
def plain_moto() -> dict[str, Any]:
    """What `report_plain_moto` prints in a process without patches."""
    done = subprocess.run(
        [sys.executable, "-c", f"import {_MODULE} as tests; tests.report_plain_moto()"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def report_plain_moto() -> None:
    served = EmbeddedAws()
    served.serve()
    working = []
    for use in USES:
        try:
            use(served)
        except (ClientError, AssertionError, KeyError):
            continue
        working.append(use.__name__)
    served.stop()
    signatures = {}
    for path in REPLACED:
        module, owner, method = path.rsplit(".", 2)
        function = vars(getattr(importlib.import_module(module), owner)).get(method)
        function = getattr(function, "__func__", function)  # of a class method
        signatures[path] = str(inspect.signature(function)) if function else None
    print(json.dumps({"working": working, "signatures": signatures}))


def test_moto_still_needs_every_patch(plain_moto: dict[str, Any]) -> None:
    assert plain_moto["working"] == [], (
        f"moto {VERSION} needs no patch for these any more, moto {PATCHED_VERSION} did: "
        "remove their patches from local/aws/moto_patches.py"
    )


@pytest.mark.parametrize("path", REPLACED)
def test_moto_still_has_what_a_patch_replaces(plain_moto: dict[str, Any], path: str) -> None:
    assert plain_moto["signatures"][path] == REPLACED[path], (
        f"moto {VERSION} changed {path}, which local/aws/moto_patches.py replaces and which had "
        f"another signature in moto {PATCHED_VERSION}: adapt the patch"
    )
