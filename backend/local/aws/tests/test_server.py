"""The embedded AWS: moto's services and the stand-ins in front of them, at one endpoint."""

import asyncio
import base64
import importlib
import importlib.metadata
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from local.aws import server
from local.aws.lambda_invoke import LambdaInvocations
from local.aws.seeding import seed
from local.aws.server import EmbeddedAws, boto3_client, serialize_conditional_writes
from local.blueprint import Blueprint, RestApi
from local.compute.functions import Functions
from local.conftest import Pools
from local.default_estate import default_estate

REGION = "us-east-1"


@pytest.fixture
def aws() -> Iterator[EmbeddedAws]:
    served = EmbeddedAws()
    served.serve()
    yield served
    served.stop()


def client(service: str, aws: EmbeddedAws) -> Any:
    return boto3_client(service, endpoint_url=aws.url, region=REGION)


def test_seeding_creates_the_secrets_the_buckets_and_the_tables(aws: EmbeddedAws) -> None:
    blueprint = default_estate(
        project="seeded", keys={"api": "key-of-api", "client": "key-of-client"}, origin_secret="o"
    )
    seed(blueprint, aws.url)
    secrets = client("secretsmanager", aws)
    found = secrets.get_secret_value(SecretId="seeded/dev/api/api-key")
    assert found["SecretString"] == "key-of-api"
    assert secrets.get_secret_value(SecretId="seeded/dev/runner/origin")["SecretString"] == "o"
    storage = client("s3", aws)
    for bucket in blueprint.buckets:
        assert storage.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert blueprint.tables == ("seeded-dev-conversations", "seeded-dev-record-keys")
    ttl = client("dynamodb", aws).describe_time_to_live(TableName="seeded-dev-conversations")
    assert ttl["TimeToLiveDescription"]["AttributeName"] == "expires_at"


def test_one_of_many_conditional_writes_to_a_table_succeeds(aws: EmbeddedAws) -> None:
    seed(Blueprint("p", "dev", RestApi("a", "a", "dev", {}), (), (), tables=("table",)), aws.url)
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write() -> None:
        tables = client("dynamodb", aws)
        start.wait()
        try:
            tables.put_item(
                TableName="table",
                Item={"pk": {"S": "a"}, "sk": {"S": "b"}},
                ConditionExpression="attribute_not_exists(pk)",
            )
            outcomes.append("won")
        except tables.exceptions.ConditionalCheckFailedException:
            outcomes.append("lost")

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 7 + ["won"]


def test_one_of_many_conditional_writes_to_a_bucket_succeeds(aws: EmbeddedAws) -> None:
    client("s3", aws).create_bucket(Bucket="contested")
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        storage = client("s3", aws)
        start.wait()
        try:
            body = str(number).encode()
            storage.put_object(Bucket="contested", Key="manifest", Body=body, IfNoneMatch="*")
            outcomes.append("written")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PreconditionFailed"] * 7 + ["written"]


def test_conditional_writes_do_not_overlap() -> None:
    """moto checks the condition and then writes, so only one thread may do both at a time."""
    inside, most = 0, 0

    def moto(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        for _ in range(1000):
            time.sleep(0)  # lets another thread run; it would enter too if there were no lock
        inside -= 1
        return []

    application = serialize_conditional_writes(moto)
    environ = {"REQUEST_METHOD": "PUT", "HTTP_IF_MATCH": "etag"}
    threads = [threading.Thread(target=application, args=(environ, None)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_the_users_own_profile_and_proxies_are_ignored(
    aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    server._session.cache_clear()  # A test before this one may have made the session.
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert client("sts", aws).get_caller_identity()["Account"] == "123456789012"


class TestInvoke:
    """Lambda's operation Invoke, called with boto3."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    async def lambdas(self, pools: Pools) -> AsyncIterator[Any]:
        pools.pool("echo")
        pools.pool("plain", version="1", alias="live")
        pools.pool("plain", name="test-narrow", reserved_concurrency=1)
        loop = asyncio.get_running_loop()
        aws = EmbeddedAws([LambdaInvocations(Functions(pools.made), loop)])
        await asyncio.to_thread(aws.serve)
        yield boto3_client("lambda", endpoint_url=aws.url, region=REGION)
        await asyncio.to_thread(aws.stop)

    async def invoke(self, lambdas: Any, name: str, event: Any, **more: Any) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            answer: dict[str, Any] = lambdas.invoke(
                FunctionName=name, Payload=json.dumps(event), **more
            )
            return {**answer, "Payload": answer["Payload"].read()}

        return await asyncio.to_thread(call)

    async def test_the_functions_result_is_returned(self, lambdas: Any) -> None:
        context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
        answer = await self.invoke(lambdas, "test-echo", {"test": "x"}, ClientContext=context)
        assert answer["StatusCode"] == 200
        assert answer["ExecutedVersion"] == "$LATEST"
        assert "FunctionError" not in answer
        assert json.loads(json.loads(answer["Payload"])["body"])["event"] == {"test": "x"}

    async def test_arn_and_alias_name_the_function_too(self, lambdas: Any) -> None:
        arn = f"arn:aws:lambda:{REGION}:123456789012:function:test-plain:live"
        assert (await self.invoke(lambdas, arn, {"answer": 1}))["Payload"] == b"1"

    async def test_a_failure_is_a_function_error(self, lambdas: Any) -> None:
        answer = await self.invoke(lambdas, "test-plain", {"raise": "broken"})
        assert answer["FunctionError"] == "Unhandled"
        assert json.loads(answer["Payload"])["errorMessage"] == "broken"

    async def test_an_unknown_function_is_not_found(self, lambdas: Any) -> None:
        with pytest.raises(ClientError) as caught:
            await self.invoke(lambdas, "nobody", {})
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"

    async def test_an_event_is_accepted_without_waiting(self, lambdas: Any) -> None:
        event = {"sleep": 0.2}
        answer = await self.invoke(lambdas, "test-plain", event, InvocationType="Event")
        assert (answer["StatusCode"], answer["Payload"]) == (202, b"")

    async def test_a_dry_run_does_nothing(self, lambdas: Any) -> None:
        answer = await self.invoke(lambdas, "test-plain", {"exit": 1}, InvocationType="DryRun")
        assert answer["StatusCode"] == 204

    async def test_a_payload_over_six_megabytes_is_too_large(self, lambdas: Any) -> None:
        with pytest.raises(ClientError) as caught:
            await self.invoke(lambdas, "test-plain", "x" * 6_291_456)
        assert caught.value.response["Error"]["Code"] == "RequestTooLargeException"


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
)
def test_a_web_page_of_another_site_reads_nothing(
    aws: EmbeddedAws, headers: dict[str, str]
) -> None:
    answer = httpx.get(f"{aws.url}/moto-api/data.json", headers=headers, trust_env=False)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_moto_has_the_server_that_the_embedded_aws_wraps() -> None:
    version = importlib.metadata.version("moto")
    module = importlib.import_module("moto.moto_server.werkzeug_app")
    names = {"DomainDispatcherApplication", "MotoRequestHandler", "create_backend_app"}
    assert names <= vars(module).keys(), (
        f"moto {version} lacks names that moto 5.2.5 had in moto.moto_server.werkzeug_app: "
        "adapt EmbeddedAws.serve to how its ThreadedMotoServer starts"
    )
