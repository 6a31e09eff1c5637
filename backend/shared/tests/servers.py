"""Loopback servers with real sockets: scripted answers, uvicorn, a counting proxy for AWS."""

import asyncio
import atexit
import functools
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zlib import crc32

import uvicorn
from starlette.types import ASGIApp


@dataclass
class Seen:
    """A request as it was received."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, f"{name} was sent {len(values)} times"
        return values[0] if values else None


Behaviour = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


def answer(
    status: int = 200, body: Any = None, *, headers: dict[str, str] | None = None
) -> Behaviour:
    """Return a behaviour that sends one response; a body other than bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()

    async def behave(request: Seen, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if request.method != "HEAD":
            writer.write(content)
        await writer.drain()

    return behave


async def hang(_request: Seen, _writer: asyncio.StreamWriter) -> None:
    """Read the request and never answer."""
    await asyncio.Event().wait()


async def dribble(_request: Seen, writer: asyncio.StreamWriter) -> None:
    """Send the body one byte at a time, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)


async def hang_up(_request: Seen, writer: asyncio.StreamWriter) -> None:
    """Close the connection instead of answering."""
    writer.close()


def flood(size: int) -> Behaviour:
    """Return a behaviour that sends at least `size` bytes in chunks, without a content length."""

    async def behave(_request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        chunk = b"%x\r\n%s\r\n" % (65536, b"x" * 65536)
        for _ in range(size // 65536 + 1):
            writer.write(chunk)
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    return behave


@dataclass
class Loopback:
    """A server with scripted behaviours, one for each request; the last one repeats."""

    behaviours: list[Behaviour]
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    url: str = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (request := await _read(reader)) is not None:
                self.seen.append(request)
                index = min(len(self.seen), len(self.behaviours)) - 1
                await self.behaviours[index](request, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Seen | None:
    first = await reader.readline()
    if not first.strip():
        return None
    method, target, _ = first.decode().split(" ", 2)
    headers = []
    while (line := (await reader.readline()).decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers.append((name.lower(), value.strip()))
    length = int(dict(headers).get("content-length", "0"))
    return Seen(method, target, headers, await reader.readexactly(length))


@asynccontextmanager
async def loopback(*behaviours: Behaviour) -> AsyncIterator[Loopback]:
    """Serve on a free port until the block ends."""
    server = Loopback(list(behaviours) or [answer()])
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(server._serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def uvicorn_server(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application with uvicorn on a free port; yields its URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        async with asyncio.timeout(60):
            while not server.started:
                await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listening.close()


def unused_port() -> int:
    """Return a port that refuses connections until this process ends."""
    return int(_reserved_socket().getsockname()[1])


@functools.cache
def _reserved_socket() -> socket.socket:
    reserved = socket.socket()
    reserved.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
    atexit.register(reserved.close)
    return reserved


class FrontOfAws:
    """A proxy for the embedded AWS that records calls and can delay or fail them."""

    def __init__(self, endpoint_url: str) -> None:
        self.calls: list[str] = []
        self.fail_with: tuple[int, dict[str, str]] | None = None
        self.truncates = False
        self.gate = threading.Event()
        self.gate.set()
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                target = self.headers.get("x-amz-target", "")
                front.calls.append(f"{target.partition('.')[2]} {_stage(body)}".strip())
                front.gate.wait(timeout=120)
                status, content = front._forward(endpoint_url, body, self.headers.items())
                self.send_response(status)
                self.send_header("content-type", "application/x-amz-json-1.1")
                self.send_header("content-length", str(len(content)))
                self.send_header("x-amz-crc32", str(crc32(content)))  # as DynamoDB does
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if front.truncates else content)
                self.close_connection = front.truncates

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _forward(self, endpoint_url: str, body: bytes, headers: Any) -> tuple[int, bytes]:
        if self.fail_with is not None:
            status, error = self.fail_with
            return status, json.dumps(error).encode()
        kept = {name: value for name, value in headers if name.lower() != "host"}
        request = urllib.request.Request(endpoint_url, body, kept)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()


def _stage(body: bytes) -> str:
    return str(json.loads(body or b"{}").get("VersionStage", ""))


@contextmanager
def front_of_aws(endpoint_url: str) -> Iterator[FrontOfAws]:
    """Run a proxy for an AWS endpoint until the block ends."""
    front = FrontOfAws(endpoint_url)
    front.start()
    try:
        yield front
    finally:
        front.stop()
