"""Fixtures: each package in an execution environment, as built and with the probe handler."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from local.blueprint import SERVICES
from local.tests.zips.zip_functions import (
    PROBE_HANDLER,
    Surroundings,
    ZipFunction,
    start_surroundings,
    zip_function,
)


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    if not Path("api.zip").is_file():
        pytest.skip("run it with ./pants test, which builds the zips")
    with start_surroundings(Path.cwd(), tmp_path_factory.mktemp("zips")) as made:
        yield made


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
async def function(
    surroundings: Surroundings, service: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ZipFunction]:
    """The package as built. The tests of a file share one environment."""
    async with zip_function(surroundings, service, tmp_path_factory.mktemp(service)) as running:
        yield running
    assert running.refusals() == []


@pytest.fixture(scope="module")
async def probe(
    surroundings: Surroundings, service: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ZipFunction]:
    """The package behind a handler with routes that no service has."""
    folder = tmp_path_factory.mktemp(f"{service}-probe")
    async with zip_function(surroundings, service, folder, PROBE_HANDLER) as running:
        yield running
    assert running.refusals() == []
