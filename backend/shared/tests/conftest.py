"""What the library's tests share: settings as values, captured log lines, fresh global state."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from shared import aws
from shared.logging import configure_logging
from shared.settings import FullServiceSettings

MakeSettings = Callable[..., FullServiceSettings]


class Lines:
    """The log lines of one test."""

    def __init__(self) -> None:
        self.stream = io.BytesIO()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.all() if line["event"] == event]

    def configure(self, level: str = "DEBUG") -> None:
        configure_logging(level, service_name="api", environment="dev", stream=self.stream)


@pytest.fixture
def logging_state() -> Iterator[None]:
    """Leaves structlog and the stdlib's loggers as they were."""
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
        }
        return FullServiceSettings(**(values | changes))

    return make


@pytest.fixture
def no_cached_clients() -> Iterator[None]:
    """boto3 clients are made anew, because the process keeps them with the endpoint they had."""
    aws._client.cache_clear()
    yield
    aws._client.cache_clear()
