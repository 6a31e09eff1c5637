"""Fixtures of the library's tests: settings, captured log lines, a counting proxy for AWS."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from shared.aws import clients
from shared.logging import configure_logging
from shared.settings import FullServiceSettings
from shared.tests.servers import FrontOfAws, front_of_aws

MakeSettings = Callable[..., FullServiceSettings]


class Lines:
    """The log lines of one test."""

    def __init__(self) -> None:
        self.stream = io.BytesIO()

    def all(self) -> list[dict[str, Any]]:
        """Return the lines, without the metrics that follow each request."""
        return [line for line in self._parsed_lines() if line["event"] != "metrics"]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self._parsed_lines() if line["event"] == event]

    def _parsed_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def configure(self, level: str = "DEBUG") -> None:
        configure_logging(level, service_name="api", environment="dev", stream=self.stream)


@pytest.fixture
def logging_state() -> Iterator[None]:
    """Restore the configuration of structlog and of the root logger after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.contextvars.clear_contextvars()
        configure_logging("WARNING", service_name="test", environment="test", stream=io.BytesIO())
        root.handlers[:] = handlers


@pytest.fixture
def lines(logging_state: None) -> Lines:
    captured = Lines()
    captured.configure()
    return captured


@pytest.fixture
def make_settings() -> MakeSettings:
    def make(**changes: Any) -> FullServiceSettings:
        values: dict[str, Any] = {
            "project_name": "fin-advisor",
            "environment": "dev",
            "service_name": "api",
            "api_gateway_url": "http://127.0.0.1:9/dev",
            "log_level": "DEBUG",
            # Most tests are about something else than the scopes of keys.
            "enable_service_api_keys": False,
        }
        return FullServiceSettings(**(values | changes))

    return make


@pytest.fixture
def no_cached_clients() -> Iterator[None]:
    """Make new AWS clients: cached ones keep the endpoint of an earlier test."""
    _forget_clients()
    yield
    _forget_clients()


def _forget_clients() -> None:
    clients._client.cache_clear()
    clients._session.cache_clear()


@pytest.fixture(scope="session")
def secrets_manager(aws_server: Any) -> Any:
    """A client of the embedded AWS. Tests share it and choose unique secret names."""
    import boto3

    return boto3.client(
        "secretsmanager",
        endpoint_url=aws_server.endpoint_url,
        region_name=aws_server.region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture
def front(
    aws_server: Any, monkeypatch: pytest.MonkeyPatch, no_cached_clients: None
) -> Iterator[FrontOfAws]:
    """A proxy that counts calls to the embedded AWS; this process's AWS clients use it."""
    with front_of_aws(aws_server.endpoint_url) as front:
        for name, value in (aws_server.environment | {"AWS_ENDPOINT_URL": front.url}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        yield front
