"""Faults of the gateway, and of the functions and services behind it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from local.compute.functions import Functions
from local.compute.logs import LogFolder
from local.conftest import Pools, rest_api, serve
from local.faults import Fault, Faults
from local.gateway.faults import FaultyGateway
from local.gateway.gateway import Gateway
from local.gateway.hops import Hops
from local.net.serving import Receive, Scope, Send, respond

pytestmark = pytest.mark.anyio

BROKEN = {"message": "Internal server error"}
UNREACHABLE = {"message": "Network error communicating with endpoint"}


@pytest.fixture(scope="module")
def called() -> list[str]:
    return []


@pytest.fixture(scope="module")
async def tested(
    tmp_path_factory: pytest.TempPathFactory, called: list[str]
) -> AsyncIterator[tuple[Faults, httpx.AsyncClient]]:
    async def site(scope: Scope, _receive: Receive, send: Send) -> None:
        called.append(scope["path"])
        await respond(send, 200, [], b'{"complete": true}')

    logs: Path = tmp_path_factory.mktemp("faults") / "logs"
    pools = Pools(LogFolder(logs))
    pools.pool("echo", name="test-echo")
    api = replace(rest_api(), integration_timeout_seconds=5.0)
    faults = Faults()
    gateway = Gateway(api, Functions(pools.made), Hops(), faults=faults)
    async with (
        serve(site) as site_url,
        serve(FaultyGateway(gateway, faults)) as url,
        httpx.AsyncClient(
            base_url=f"{url}/dev", headers={"x-api-key": "secret-caller"}, timeout=60
        ) as client,
    ):
        gateway.stage_variables["site_url"] = site_url
        yield faults, client
    await gateway.close()
    await pools.stop()


type Tested = tuple[Faults, httpx.AsyncClient]


@pytest.fixture
def order(tested: Tested, called: list[str]) -> Callable[[Fault], httpx.AsyncClient]:
    def order(fault: Fault) -> httpx.AsyncClient:
        tested[0].clear()
        tested[0].order(fault)
        called.clear()
        return tested[1]

    return order


type Order = Callable[[Fault], httpx.AsyncClient]


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault("echo", reset=True), 502, BROKEN),
        (Fault("echo", truncate=True), 502, BROKEN),
        (Fault("echo", hang_seconds=60), 504, {"message": "Endpoint request timed out"}),
        (Fault("site", reset=True), 504, UNREACHABLE),
        (Fault("site", truncate=True), 504, UNREACHABLE),
        (Fault("site", hang_seconds=60), 504, {"message": "Endpoint request timed out"}),
        (Fault("gateway", error=500), 500, BROKEN),
        (Fault("gateway", error=599), 599, BROKEN),
        (Fault("gateway", error=429), 429, {"message": "Limit Exceeded"}),
    ],
)
async def test_the_gateway_answers_for_what_failed(
    order: Order, fault: Fault, status: int, body: dict[str, str]
) -> None:
    path = "/site/x" if fault.target == "site" else "/echo"
    answer = await order(fault).get(path)
    assert (answer.status_code, answer.json()) == (status, body)


@pytest.mark.parametrize("target", ["echo", "site"])
async def test_an_error_is_the_services_own(order: Order, called: list[str], target: str) -> None:
    answer = await order(Fault(target, error=503)).get(f"/{target}/x")
    assert answer.status_code == 503
    assert answer.json()["error"] == "ordered_fault"
    assert called == []


async def test_a_truncated_answer_belongs_to_work_that_was_done(
    order: Order, called: list[str]
) -> None:
    await order(Fault("site", truncate=True)).get("/site/x")
    await order(Fault("site", reset=True)).get("/site/x")
    assert called == []
    await order(Fault("site", truncate=True)).get("/site/x")
    assert called == ["/x"]


async def test_latency_delays_the_answer(order: Order) -> None:
    answer = await order(Fault("echo", latency_seconds=0.2)).get("/echo")
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.2


@pytest.mark.parametrize(
    "fault", [Fault("gateway", reset=True), Fault("gateway", hang_seconds=0.1)]
)
async def test_the_gateways_connection_is_reset(order: Order, fault: Fault) -> None:
    with pytest.raises(httpx.ReadError):
        await order(fault).get("/echo")


async def test_the_gateways_answer_is_truncated(order: Order) -> None:
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await order(Fault("gateway", truncate=True)).get("/site/x")


async def test_without_a_fault_requests_are_answered(tested: Tested) -> None:
    tested[0].clear()
    assert (await tested[1].get("/echo")).status_code == 200
    assert (await tested[1].get("/site/x")).json() == {"complete": True}
    assert tested[0].as_dict()["requests"] == {"gateway": 2, "echo": 1, "site": 1}
