"""HTTP servers in the estate's process."""

import asyncio
import signal

import httpx
import pytest
import uvicorn

from local.conftest import serve
from local.net import serving
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


async def test_a_connection_without_a_whole_request_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.3)
    whole = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with serve(hello) as url:
        port = int(url.rpartition(":")[2])
        for before, begun in ((b"", b""), (b"", b"GET / HT"), (whole, b"GET / HT")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            if before:
                writer.write(before)
                await reader.readuntil(b"hello")
            writer.write(begun)
            # Ends when the server closes the connection.
            assert await asyncio.wait_for(reader.read(), 60) == b"", (
                f"uvicorn {uvicorn.__version__} has another H11Protocol than uvicorn 0.54.0: adapt "
                "the subclass in local/net/serving.py"
            )
            writer.close()


async def test_a_connection_stays_open_between_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.2)
    async with serve(hello) as url:
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.5)  # longer than the limit for a head
        writer.close()


async def test_a_body_that_stops_arriving_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "BODY_SECONDS", 0.2)
    gone = asyncio.Event()

    async def read(_scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await serving.read_body(receive, limit_bytes=100)
        except serving.ClientGoneError:
            gone.set()
        await respond(send, 408, [])

    async with serve(read) as url:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        await asyncio.wait_for(gone.wait(), 60)
        writer.close()
