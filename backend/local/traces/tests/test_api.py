"""The traces as JSON."""

from collections.abc import AsyncIterator

import httpx
import pytest

from local.net.serving import Server
from local.traces.api import TracesApi
from local.traces.store import TraceStore
from local.traces.tests.example_spans import span

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    store = TraceStore()
    store.add([span(1), span(2, parent_id=f"{1:016x}")])
    store.add([span(3, trace_id="f" * 32)])
    server = Server(TracesApi(store))
    await server.start()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as made:
        yield made
    await server.stop()
    store.close()


async def test_the_latest_traces_are_listed(client: httpx.AsyncClient) -> None:
    traces = (await client.get("/traces")).json()["traces"]
    assert [one["spans"] for one in traces] == [1, 2]
    assert len((await client.get("/traces?limit=1")).json()["traces"]) == 1
    for limit in ("0", "x", "-1", "9" * 20, "9" * 5000, ""):
        assert (await client.get(f"/traces?limit={limit}")).status_code == 200


@pytest.mark.parametrize(
    "trace_id", ["5759e988bd862e3fe1be46a994272793", "1-5759e988-bd862e3fe1be46a994272793"]
)
async def test_a_trace_is_found_by_either_form_of_its_id(
    client: httpx.AsyncClient, trace_id: str
) -> None:
    trace = (await client.get(f"/traces/{trace_id}")).json()
    assert trace["xray_trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
    assert [one["name"] for one in trace["spans"]] == ["span 1", "span 2"]


async def test_an_unknown_trace_is_not_found(client: httpx.AsyncClient) -> None:
    missing = await client.get("/traces/nothing")
    assert (missing.status_code, missing.json()["error"]) == (404, "not_found")
    assert (await client.post("/traces")).status_code == 405
