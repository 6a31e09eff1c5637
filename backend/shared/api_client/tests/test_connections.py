"""Connections are pooled, reused, and bound to their event loop."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from fastapi import FastAPI

from shared.api_client import connections
from shared.api_client.tests.conftest import MakeClient
from shared.tests.servers import answer, loopback

pytestmark = pytest.mark.anyio


async def test_connections_are_pooled_and_reused(make_client: MakeClient) -> None:
    async with loopback() as gateway, make_client(gateway.url) as client:
        for _ in range(5):
            await client.get("/chat/health")
        assert gateway.connections == 1


async def test_a_closed_client_opens_new_connections(
    make_client: MakeClient,
) -> None:
    async with loopback() as gateway:
        client = make_client(gateway.url)
        await client.get("/chat/health")
        await client.aclose()
        await client.aclose()
        await client.get("/chat/health")
        await client.aclose()
        assert gateway.connections == 2


def test_one_client_serves_two_event_loops(make_client: MakeClient) -> None:
    class KeepsAlive(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(204)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), KeepsAlive) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        client = make_client(f"http://127.0.0.1:{server.server_port}")
        loops = [asyncio.new_event_loop() for _ in range(2)]
        opened: list[httpx.AsyncClient | None] = []
        for loop in loops:
            # The first loop's connection is still open when the second loop makes its call.
            assert loop.run_until_complete(client.get("/chat/health")).status_code == 204
            opened.append(client._pool._client)
        first, second = opened
        assert first is not None
        assert first is not second
        loops[0].run_until_complete(first.aclose())
        loops[1].run_until_complete(client.aclose())
        for loop in loops:
            loop.close()
        server.shutdown()


async def test_a_transport_can_be_passed(make_client: MakeClient) -> None:
    app = FastAPI()
    app.add_api_route("/dev/chat/health", lambda: {"status": "healthy"})
    client = make_client("http://gateway", transport=httpx.ASGITransport(app=app))
    async with client:
        assert (await client.get("/chat/health")).json() == {"status": "healthy"}


async def test_an_answer_may_be_as_large_as_the_gateway_allows(make_client: MakeClient) -> None:
    async with (
        loopback(answer(200, b"x" * connections.MAX_ANSWER_BYTES)) as gateway,
        make_client(gateway.url) as client,
    ):
        response = await client.get("/chat/x")
    assert len(response.content) == connections.MAX_ANSWER_BYTES
    assert gateway.seen[0].header("accept-encoding") == "identity"
