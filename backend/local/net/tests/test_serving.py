"""HTTP servers in the estate's process."""

import asyncio
import signal

import httpx
import pytest
import uvicorn

from local.conftest import serve
from local.net.serving import Receive, Scope, Send, respond

pytestmark = pytest.mark.anyio


async def hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    await respond(send, 200, [("content-type", "text/plain")], b"hello")


async def test_requests_of_this_machine_are_answered() -> None:
    async with serve(hello) as url, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(url, headers={"origin": "http://localhost:3000"})
        assert (answer.status_code, answer.text) == (200, "hello")


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}])
async def test_requests_of_a_web_page_are_refused(headers: dict[str, str]) -> None:
    async with serve(hello) as url, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(url, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["message"].startswith("Forbidden: ")


async def test_a_second_host_is_refused() -> None:
    async with serve(hello) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        status = await reader.readline()
        assert status.split()[1] in {b"400", b"403"}
        writer.close()


async def test_the_server_leaves_signals_to_the_estate() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with serve(hello):
        during = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert during == before, (
        f"uvicorn {uvicorn.__version__} does not install its signal handlers in "
        "Server.capture_signals as uvicorn 0.54.0 did: adapt the override in local/net/serving.py"
    )
