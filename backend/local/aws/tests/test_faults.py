"""Faults of the embedded AWS, as the real botocore sees them."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, ReadTimeoutError
from botocore.session import Session

from local.aws.bedrock_api import BedrockApi
from local.aws.server import EmbeddedAws
from local.bedrock.runtime import Bedrock
from local.faults import parse_fault

TITAN = "amazon.titan-embed-text-v2:0"


@pytest.fixture(scope="module")
def served() -> Iterator[EmbeddedAws]:
    aws = EmbeddedAws([BedrockApi(Bedrock())])
    aws.serve()
    yield aws
    aws.stop()


@pytest.fixture
def aws(served: EmbeddedAws) -> Iterator[EmbeddedAws]:
    yield served
    served.faults.clear()


def client(aws: EmbeddedAws, service: str, *, read_timeout: float = 30) -> Any:
    return Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout, proxies={}),
    )


def embed(aws: EmbeddedAws) -> Any:
    return client(aws, "bedrock-runtime").invoke_model(modelId=TITAN, body='{"inputText": "x"}')


_CALLS: dict[str, Any] = {
    "s3": lambda aws: client(aws, "s3").list_buckets(),
    "secretsmanager": lambda aws: client(aws, "secretsmanager").list_secrets(),
    "dynamodb": lambda aws: client(aws, "dynamodb").list_tables(),
    "bedrock": embed,
    "bedrock/invoke": embed,
}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("s3:error=503", "ServiceUnavailable"),
        ("s3:error=403", "AccessDenied"),
        ("secretsmanager:error=500", "InternalServiceError"),
        ("dynamodb:error=429", "ThrottlingException"),
        ("bedrock:error=429", "ThrottlingException"),
        ("bedrock/invoke:error=503", "ServiceUnavailableException"),
    ],
)
def test_an_error_has_the_form_of_its_service(aws: EmbeddedAws, fault: str, code: str) -> None:
    order = parse_fault(fault)
    aws.faults.order(order)
    with pytest.raises(ClientError) as caught:
        _CALLS[order.target](aws)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == order.error


@pytest.mark.parametrize("target", _CALLS)
@pytest.mark.parametrize("kind", ["reset", "hang=0.01"])
def test_a_connection_ends_without_an_answer(aws: EmbeddedAws, target: str, kind: str) -> None:
    aws.faults.order(parse_fault(f"{target}:{kind}"))
    with pytest.raises(HTTPClientError):
        _CALLS[target](aws)


def test_an_answer_is_truncated(aws: EmbeddedAws) -> None:
    aws.faults.order(parse_fault("bedrock:truncate"))
    with pytest.raises(Exception, match=r"(?i)incomplete|read|closed"):
        embed(aws)["body"].read()


def test_an_answer_comes_late_or_not_in_time(aws: EmbeddedAws) -> None:
    aws.faults.order(parse_fault("s3:latency=0.2,times=1"))
    began = time.monotonic()
    client(aws, "s3").list_buckets()
    assert time.monotonic() - began >= 0.2
    aws.faults.order(parse_fault("s3:hang=2,times=1"))
    with pytest.raises(ReadTimeoutError):
        client(aws, "s3", read_timeout=0.1).list_buckets()


def test_other_operations_and_services_go_on(aws: EmbeddedAws) -> None:
    aws.faults.order(parse_fault("bedrock/converse:reset"))
    aws.faults.order(parse_fault("secretsmanager:error=500"))
    assert embed(aws)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert client(aws, "s3").list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert aws.faults.as_dict()["requests"] == {"bedrock": 1, "bedrock/invoke": 1, "s3": 1}
