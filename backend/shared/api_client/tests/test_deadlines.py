"""No call outlasts its deadline, and each hop gets an earlier one."""

import time

import pytest
from fastapi import APIRouter, FastAPI

from shared.api_client import CallTimeout, ServiceAPIClient
from shared.api_client.tests.conftest import MakeClient
from shared.app import create_service_app
from shared.conftest import Lines, MakeSettings
from shared.request import deadline
from shared.testing import FakeKeys, app_client
from shared.tests.servers import Behaviour, FrontOfAws, dribble, hang, loopback, uvicorn_server

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("behaviour", [hang, dribble], ids=["hangs", "dribbles"])
async def test_a_call_to_a_hung_service_ends_at_the_deadline(
    make_client: MakeClient, behaviour: Behaviour
) -> None:
    async with loopback(behaviour) as gateway, make_client(gateway.url) as client:
        with deadline.scope(time.time() + 2), pytest.raises(CallTimeout, match="no answer in"):
            await client.get("/chat/x", timeout_seconds=600)
        with pytest.raises(CallTimeout, match="no answer in"):
            await client.get("/chat/x", timeout_seconds=2)
    assert len(gateway.seen) == 2, "no time is left for another attempt"


async def test_reading_the_key_ends_at_the_deadline_too(
    make_client: MakeClient, make_settings: MakeSettings, front: FrontOfAws, lines: Lines
) -> None:
    front.gate.clear()
    settings = make_settings(enable_service_api_keys=True)
    async with ServiceAPIClient(settings=settings) as client:
        with pytest.raises(CallTimeout, match="key could not be read in time"):
            await client.get("/chat/x", timeout_seconds=0.3)
    front.gate.set()


async def test_without_time_left_nothing_is_sent(make_client: MakeClient) -> None:
    async with loopback() as gateway, make_client(gateway.url) as client:
        with deadline.scope(time.time() + 0.05), pytest.raises(CallTimeout, match="no time is"):
            await client.get("/chat/x")
    assert gateway.seen == []


async def test_each_hop_gets_an_earlier_deadline(make_settings: MakeSettings, lines: Lines) -> None:
    seen: dict[str, float | None] = {}

    def service(name: str, next_url: str | None) -> FastAPI:
        router = APIRouter()

        @router.get("/go", summary="Go on")
        async def go() -> None:
            seen[name] = deadline.current()
            if next_url:
                settings = make_settings(api_gateway_url=next_url)
                async with ServiceAPIClient(settings=settings, keys=FakeKeys()) as client:
                    await client.get("/go")

        return create_service_app(make_settings(), title=name, description=name, routers=[router])

    async with (
        uvicorn_server(service("third", None)) as third,
        uvicorn_server(service("second", third)) as second,
        app_client(service("first", second)) as caller,
    ):
        ends = time.time() + 20
        response = await caller.get("/go", headers={"x-request-deadline": f"{ends * 1000:.0f}"})
    assert response.status_code == 200
    assert seen["first"] == pytest.approx(ends, abs=0.002)
    assert seen["second"] == pytest.approx(ends - deadline.HOP_SECONDS, abs=0.005)
    assert seen["third"] == pytest.approx(ends - 2 * deadline.HOP_SECONDS, abs=0.005)
