"""The local App Runner, called by boto3."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.app_runner import AppRunner
from local.aws.server import EmbeddedAws, boto3_client


@pytest.fixture
def app_runner() -> Iterator[Any]:
    aws = EmbeddedAws([AppRunner()])
    aws.serve()
    yield boto3_client("apprunner", endpoint_url=aws.url, region="us-east-1")
    aws.stop()


def test_a_service_keeps_its_configuration_until_it_is_deleted(app_runner: Any) -> None:
    image = {"ImageIdentifier": "i", "ImageRepositoryType": "ECR"}
    made = app_runner.create_service(
        ServiceName="runner", SourceConfiguration={"ImageRepository": image}
    )["Service"]
    arn = made["ServiceArn"]
    found = app_runner.describe_service(ServiceArn=arn)["Service"]
    assert found["Status"] == "RUNNING"
    assert found["SourceConfiguration"]["ImageRepository"] == image
    [listed] = app_runner.list_services()["ServiceSummaryList"]
    assert listed["ServiceUrl"] == found["ServiceUrl"]
    app_runner.delete_service(ServiceArn=arn)
    assert app_runner.list_services()["ServiceSummaryList"] == []


def test_an_unknown_service_is_an_error(app_runner: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        app_runner.describe_service(ServiceArn="arn:aws:apprunner:us-east-1:123456789012:service/x")


def test_an_unknown_operation_is_an_error(app_runner: Any) -> None:
    with pytest.raises(ClientError, match="ListConnections is not implemented by the local"):
        app_runner.list_connections()
