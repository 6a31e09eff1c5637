"""Calls whose answers are read in pieces: keys, retries, deadlines, and connections that break."""

import asyncio
from typing import Any

import pytest

from shared.api_client import (
    BadAnswer,
    CallTimeout,
    KeyRefused,
    ServiceAPIClient,
    ServiceUnreachable,
)
from shared.api_client.tests.conftest import MakeClient
from shared.testing import FakeKeys
from shared.tests.servers import Behaviour, Seen, answer, hang, hang_up, loopback

pytestmark = pytest.mark.anyio

REFUSED = answer(403, {"message": "Forbidden"}, headers={"x-amzn-errortype": "ForbiddenException"})


def chunks(
    *pieces: bytes, is_complete: bool = True, gate: asyncio.Event | None = None
) -> Behaviour:
    async def behave(_request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for piece in pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            if gate is not None:
                await gate.wait()
        if is_complete:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        else:
            writer.close()

    return behave


async def read(client: ServiceAPIClient, **options: Any) -> bytes:
    """Call, and return the whole answer."""
    async with client.stream("POST", "/chat/x", **options) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_pieces_are_read_as_they_come(make_client: MakeClient) -> None:
    gate = asyncio.Event()
    async with (
        loopback(chunks(b"one", b"two", gate=gate)) as gateway,
        make_client(gateway.url) as client,
        client.stream("POST", "/chat/x", json={"a": 1}) as pieces,
    ):
        assert await anext(pieces) == b"one"
        gate.set()
        assert b"".join([piece async for piece in pieces]) == b"two"
    (seen,) = gateway.seen
    assert (seen.method, seen.body) == ("POST", b'{"a":1}')
    assert seen.header("x-api-key") == "test-key"


async def test_a_connection_that_breaks_is_an_error_where_the_pieces_are_read(
    make_client: MakeClient,
) -> None:
    cut = chunks(b"one", is_complete=False)
    async with loopback(cut) as gateway, make_client(gateway.url) as client:
        with pytest.raises(ServiceUnreachable, match="broke"):
            await read(client)


@pytest.mark.parametrize("behaviour", [hang, chunks(b"one", gate=asyncio.Event())])
async def test_a_stream_ends_at_its_timeout(make_client: MakeClient, behaviour: Behaviour) -> None:
    async with loopback(behaviour) as gateway, make_client(gateway.url) as client:
        with pytest.raises(CallTimeout):
            await read(client, timeout_seconds=0.3)


async def test_a_refused_key_is_replaced_by_the_newest(make_client: MakeClient) -> None:
    keys = FakeKeys("old", after_refresh="new")
    async with (
        loopback(REFUSED, chunks(b"one")) as gateway,
        make_client(gateway.url, keys=keys) as client,
    ):
        assert await read(client) == b"one"
    assert [seen.header("x-api-key") for seen in gateway.seen] == ["old", "new"]


async def test_without_an_accepted_key_nothing_is_read(make_client: MakeClient) -> None:
    async with loopback(REFUSED) as gateway, make_client(gateway.url) as client:
        with pytest.raises(KeyRefused):
            await read(client)


async def test_a_throttled_call_is_repeated(make_client: MakeClient) -> None:
    throttled = answer(429, {"message": "Too Many Requests"}, headers={"retry-after": "0"})
    async with loopback(throttled, chunks(b"one")) as gateway, make_client(gateway.url) as client:
        assert await read(client) == b"one"
    assert len(gateway.seen) == 2


@pytest.mark.parametrize(
    ("behaviour", "error"), [(answer(502), BadAnswer), (hang_up, ServiceUnreachable)]
)
async def test_a_call_that_may_have_been_carried_out_is_not_repeated(
    make_client: MakeClient, behaviour: Behaviour, error: type[Exception]
) -> None:
    async with loopback(behaviour) as gateway, make_client(gateway.url) as client:
        with pytest.raises(error):
            await read(client)
    assert len(gateway.seen) == 1
