"""Fixtures for tests of calls between services: a client of a loopback gateway."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.api_client import ServiceAPIClient, retries
from shared.conftest import Lines, MakeSettings
from shared.testing import FakeKeys

MakeClient = Callable[..., ServiceAPIClient]


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "BACKOFF_SECONDS", 0.001)


@pytest.fixture
def make_client(make_settings: MakeSettings, lines: Lines) -> MakeClient:
    def make(url: str, **options: Any) -> ServiceAPIClient:
        settings = make_settings(api_gateway_url=f"{url}/dev")
        return ServiceAPIClient(settings=settings, **({"keys": FakeKeys()} | options))

    return make
