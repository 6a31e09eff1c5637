"""Fixtures for the tests of every package: the async backend, and an embedded AWS."""

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

_REGION = "us-east-1"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class EmbeddedAws:
    """A moto server on a loopback port, and the variables that make boto3 use it."""

    endpoint_url: str
    region: str = _REGION

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def create_table(self, name: str) -> str:
        """Create a DynamoDB table with the keys `pk` and `sk`, and return its name."""
        from botocore.config import Config
        from botocore.session import Session

        client: Any = Session().create_client(
            "dynamodb",
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(proxies={}),
        )
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        )
        return name

    def reset(self) -> None:
        """Delete every resource."""
        request = urllib.request.Request(f"{self.endpoint_url}/moto-api/reset", method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - our own loopback server
            pass


@pytest.fixture(scope="session")
def aws_server() -> Iterator[EmbeddedAws]:
    """One server for all tests of the session, not reset between tests: see `aws`."""
    # Imported here, because importing moto takes a second and most tests need no AWS.
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield EmbeddedAws(f"http://127.0.0.1:{port}")
    finally:
        server.stop()


@pytest.fixture
def aws(aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAws:
    """Return an empty embedded AWS, and point boto3 in this process at it."""
    for name, value in aws_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    aws_server.reset()
    return aws_server
