"""HTTP servers inside the estate's own process, and the few ASGI moves that they share."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Generator, Iterable, MutableMapping
from typing import Any

import uvicorn

from local.net.sockets import HOST, bind

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
type Headers = Iterable[tuple[str, str]]


class BodyTooLongError(Exception):
    """The body is longer than the server takes."""


class ClientGoneError(Exception):
    """The client closed the connection before its request was whole."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield  # signals belong to the estate


class Server:
    """One ASGI application on one socket, served by a task of the running loop."""

    def __init__(self, application: Asgi, listener: socket.socket | None = None) -> None:
        self._listener = listener or bind()
        self.port: int = self._listener.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                application,
                interface="asgi3",
                proxy_headers=False,
                http="h11",
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        while not self._server.started:
            if self._task.done():
                await self._task
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        if self._task is None:
            self._listener.close()
            return
        self._server.should_exit = True
        await asyncio.shield(self._task)  # it closes the listener; a second stop waits for the same


async def read_body(receive: Receive, *, limit_bytes: int) -> bytes:
    """The whole body; uvicorn throws away what is left of one that is too long."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            raise BodyTooLongError
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def respond(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    """A whole answer; `content-length` is added."""
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
