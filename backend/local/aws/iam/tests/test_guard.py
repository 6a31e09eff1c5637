"""The embedded AWS refuses a role what its policies do not allow, as AWS words it."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws.bedrock_api import BedrockApi
from local.aws.iam.guard import Guard
from local.aws.iam.roles import Roles
from local.aws.server import EmbeddedAws, boto3_client
from local.bedrock.runtime import Bedrock
from local.blueprint import REGION

ACCOUNT = "123456789012"
ROLE, POLICY = "guarded", "guarded-policy"
ARN = f"arn:aws:iam::{ACCOUNT}:policy/{POLICY}"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/things"
SONNET = "anthropic.claude-sonnet-5-5"


class Guarded:
    """An embedded AWS whose role `guarded` has one policy; each test writes it anew."""

    def __init__(self) -> None:
        self.aws = EmbeddedAws([BedrockApi(Bedrock())])
        self.aws.serve()
        self.operator = boto3_client("iam", endpoint_url=self.aws.url, region=REGION)
        boundary = self.operator.create_policy(
            PolicyName="boundary", PolicyDocument=_document(_allow("*", "*"))
        )["Policy"]["Arn"]
        self.operator.create_role(
            RoleName=ROLE, AssumeRolePolicyDocument="{}", PermissionsBoundary=boundary
        )
        self.operator.create_policy(PolicyName=POLICY, PolicyDocument=_document())
        self.operator.attach_role_policy(RoleName=ROLE, PolicyArn=ARN)
        self.reports: list[str] = []
        self.roles = Roles(self.aws.url)
        self.credentials = self.roles.assume(ROLE)
        self.mode(enforce=True)
        self.client("s3", operator=True).create_bucket(Bucket="things")
        self.client("dynamodb", operator=True).create_table(
            TableName="things",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )
        secrets = self.client("secretsmanager", operator=True)
        secrets.create_secret(Name="things/key", SecretString="hidden")

    def mode(self, *, enforce: bool) -> None:
        self.aws.guard(Guard(self.roles, self.reports.append, enforce=enforce).in_front_of)

    def client(self, service: str, *, operator: bool = False) -> Any:
        if operator:
            return boto3_client(service, endpoint_url=self.aws.url, region=REGION)
        session = boto3.Session(
            self.credentials["AWS_ACCESS_KEY_ID"],
            self.credentials["AWS_SECRET_ACCESS_KEY"],
            self.credentials["AWS_SESSION_TOKEN"],
            REGION,
        )
        config = Config(proxies={}, retries={"total_max_attempts": 1})
        client: Any = session.client(service, endpoint_url=self.aws.url, config=config)  # type: ignore[call-overload]
        return client

    def allow(self, *statements: dict[str, Any]) -> None:
        """Make these the statements of the role's policy, as an operator does."""
        made = self.operator.create_policy_version(
            PolicyArn=ARN, PolicyDocument=_document(*statements), SetAsDefault=True
        )["PolicyVersion"]
        for version in self.operator.list_policy_versions(PolicyArn=ARN)["Versions"]:
            if version["VersionId"] != made["VersionId"]:
                self.operator.delete_policy_version(PolicyArn=ARN, VersionId=version["VersionId"])


def _allow(action: str | list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def _document(*statements: dict[str, Any]) -> str:
    # IAM refuses a policy without a statement.
    written = list(statements) or [_allow("s3:GetObject", "arn:aws:s3:::none/*")]
    return json.dumps({"Version": "2012-10-17", "Statement": written})


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    made = Guarded()
    yield made
    made.aws.stop()


def put_object(guarded: Guarded) -> Any:
    return guarded.client("s3").put_object(Bucket="things", Key="a/b", Body=b"x")


def put_item(guarded: Guarded) -> Any:
    return guarded.client("dynamodb").put_item(TableName="things", Item={"pk": {"S": "1"}})


def delete_objects(guarded: Guarded) -> Any:
    wanted: dict[str, Any] = {"Objects": [{"Key": "a/b"}, {"Key": "a/c & d"}]}
    answer = guarded.client("s3").delete_objects(Bucket="things", Delete=wanted)
    assert {one["Key"] for one in answer["Deleted"]} == {"a/b", "a/c & d"}


def write_in_a_transaction(guarded: Guarded) -> Any:
    put = {"Put": {"TableName": "things", "Item": {"pk": {"S": "2"}}}}
    return guarded.client("dynamodb").transact_write_items(TransactItems=[put])


def read_a_batch(guarded: Guarded) -> Any:
    request = {"things": {"Keys": [{"pk": {"S": "1"}}]}}
    return guarded.client("dynamodb").batch_get_item(RequestItems=request)


def read_secret(guarded: Guarded) -> Any:
    return guarded.client("secretsmanager").get_secret_value(SecretId="things/key")


def embed(guarded: Guarded) -> Any:
    return guarded.client("bedrock-runtime").invoke_model(
        modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": "a"})
    )


def converse(guarded: Guarded) -> Any:
    messages = [{"role": "user", "content": [{"text": "hello"}]}]
    return guarded.client("bedrock-runtime").converse(modelId=f"us.{SONNET}", messages=messages)


_MODELS = f"arn:aws:bedrock:{REGION}::foundation-model"
CALLS: list[tuple[Any, str, str, tuple[str, int]]] = [
    (put_object, "s3:PutObject", "arn:aws:s3:::things/a/*", ("AccessDenied", 403)),
    (delete_objects, "s3:DeleteObject", "arn:aws:s3:::things/a/*", ("AccessDenied", 403)),
    (put_item, "dynamodb:PutItem", TABLE, ("AccessDeniedException", 400)),
    (write_in_a_transaction, "dynamodb:PutItem", TABLE, ("AccessDeniedException", 400)),
    (read_a_batch, "dynamodb:BatchGetItem", TABLE, ("AccessDeniedException", 400)),
    (
        read_secret,
        "secretsmanager:GetSecretValue",
        f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:things/key-*",
        ("AccessDeniedException", 400),
    ),
    (embed, "bedrock:InvokeModel", f"{_MODELS}/amazon.titan-*", ("AccessDeniedException", 403)),
]


@pytest.mark.parametrize(("call", "action", "resource", "error"), CALLS)
def test_a_call_needs_its_statement(
    guarded: Guarded, call: Any, action: str, resource: str, error: tuple[str, int]
) -> None:
    guarded.allow(_allow(action, resource))
    call(guarded)
    guarded.allow(_allow(f"{action}Not", resource), _allow(action, f"{resource}/else"))
    with pytest.raises(ClientError) as caught:
        call(guarded)
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == error
    message = answer["Error"].get("Message", str(caught.value))
    assert f"assumed-role/{ROLE}/local is not authorized to perform: {action} on" in message


@pytest.mark.parametrize("lacking", ["profile", "model"])
def test_a_profile_needs_its_own_permission_and_that_of_the_model(
    guarded: Guarded, lacking: str
) -> None:
    statements = {
        "profile": _allow(
            "bedrock:InvokeModel",
            f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/us.{SONNET}",
        ),
        "model": _allow("bedrock:InvokeModel", f"{_MODELS}/{SONNET}"),
    }
    guarded.allow(*statements.values())
    converse(guarded)
    del statements[lacking]
    guarded.allow(*statements.values())
    with pytest.raises(ClientError, match="AccessDeniedException"):
        converse(guarded)


def test_a_missing_object_is_hidden_from_a_role_that_may_not_list(guarded: Guarded) -> None:
    read = _allow("s3:GetObject", "arn:aws:s3:::things/*")
    guarded.allow(read, _allow("s3:ListBucket", "arn:aws:s3:::things"))
    with pytest.raises(ClientError, match="NoSuchKey"):
        guarded.client("s3").get_object(Bucket="things", Key="absent")
    guarded.allow(read)
    with pytest.raises(ClientError, match="AccessDenied"):
        guarded.client("s3").get_object(Bucket="things", Key="absent")


def test_a_warning_is_given_once_and_the_call_is_answered(guarded: Guarded) -> None:
    guarded.allow(_allow("s3:GetObject", "*"))
    guarded.mode(enforce=False)
    guarded.reports.clear()
    try:
        for _ in range(2):
            put_object(guarded)
        assert guarded.reports == [f"IAM: {ROLE} lacks s3:PutObject on arn:aws:s3:::things/a/b"]
    finally:
        guarded.mode(enforce=True)


def test_policies_are_read_again_after_a_change_only(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = guarded.roles._read

    def noting(role: str) -> Any:
        reads.append(role)
        return read(role)

    monkeypatch.setattr(guarded.roles, "_read", noting)
    guarded.allow(_allow("s3:PutObject", "*"))
    for _ in range(3):
        put_object(guarded)
        guarded.operator.list_policies()
    assert reads == [ROLE]


def test_the_operator_may_do_everything(guarded: Guarded) -> None:
    guarded.allow()
    secrets = guarded.client("secretsmanager", operator=True)
    assert secrets.get_secret_value(SecretId="things/key")["SecretString"] == "hidden"
