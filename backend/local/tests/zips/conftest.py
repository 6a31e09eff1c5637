"""Each package in one execution environment per test file: as built, and with the probe."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from local.blueprint import SERVICES
from local.tests.zips.zip_functions import (
    PROBE_HANDLER,
    Surroundings,
    ZipFunction,
    surroundings,
    zip_function,
)


@pytest.fixture(scope="session")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    if not Path("api.zip").is_file():
        pytest.skip("the zips are where Pants runs this")
    with surroundings(Path.cwd(), tmp_path_factory.mktemp("zips")) as made:
        yield made


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
async def function(
    around: Surroundings, service: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ZipFunction]:
    """The package as built. The tests of a file share one environment."""
    async with zip_function(around, service, tmp_path_factory.mktemp(service)) as running:
        yield running
    assert running.refusals() == []


@pytest.fixture(scope="module")
async def probe(
    around: Surroundings, service: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ZipFunction]:
    """The package behind a handler with routes that no service has."""
    folder = tmp_path_factory.mktemp(f"{service}-probe")
    async with zip_function(around, service, folder, PROBE_HANDLER) as running:
        yield running
    assert running.refusals() == []
