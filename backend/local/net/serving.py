"""HTTP servers of the local system, all in one process, and ASGI functions that they share."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    MutableMapping,
    Sequence,
)
from typing import Any
from urllib.parse import unquote

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.net.loopback_only import STATUS, reason_to_refuse, refusal_body
from local.net.sockets import HOST, bind

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
type Headers = Iterable[tuple[str, str]]
type AllowsOrigin = Callable[[Scope, str], bool]
"""Called with a request's scope and its Origin; True if pages of that origin may send it."""


HEAD_SECONDS = 10.0
"""The time for the head of a request, from its first byte or the start of the connection."""

LONGEST_HEAD_BYTES = 64 * 1024
"""The longest head of a request; a longer one is answered with 400."""

BODY_SECONDS = 30.0
"""The longest wait for the next part of a request's body."""


class BodyTooLongError(Exception):
    """The body is longer than the limit."""


class ClientGoneError(Exception):
    """The client closed the connection before it had sent the whole request."""


RESET_KEY = "local.reset"
"""ASGI scope key: a function without arguments that resets the request's connection."""


CLOSE_KEY = "local.close"
"""ASGI scope key: a function that closes the connection after what has been sent."""

TRAILERS_KEY = "local.trailers"
"""ASGI scope key: a function that returns the trailers of the request, once it has been read."""

HEADERS_KEY = "local.headers"
"""ASGI scope key: the request's headers with their names as the client spelled them."""


class _Connection(h11.Connection):
    """Keeps the headers of the latest request as they were spelled, and its trailers."""

    spelled_headers: Sequence[tuple[bytes, bytes]] = ()
    trailers: Sequence[tuple[bytes, bytes]] = ()

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self.spelled_headers = event.headers.raw_items()
        elif isinstance(event, h11.EndOfMessage):
            self.trailers = list(event.headers)
        return event


class _Protocol(H11Protocol):
    """uvicorn's protocol with a time limit for the head of a request; uvicorn itself has none."""

    conn: _Connection
    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.conn = _Connection(h11.SERVER, LONGEST_HEAD_BYTES)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        has_begun = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if not has_begun:
            self._stop_waiting()
        elif self._limit is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._limit = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


def _known(open_connections: dict[Any, _Protocol]) -> type[H11Protocol]:
    """Return a protocol that keeps its open connections by the client's address and port."""

    class Known(_Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            open_connections[transport.get_extra_info("peername")] = self
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            open_connections.pop(self.transport.get_extra_info("peername"), None)
            super().connection_lost(exc)

    return Known


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield  # the process that runs all servers handles signals


class Server:
    """One ASGI application on one loopback socket, served by a task of the running loop.

    Requests with a foreign Host or Origin are answered with 403, except for the origins that
    `allows_origin` accepts.
    """

    def __init__(
        self,
        application: Asgi,
        listener: socket.socket | None = None,
        *,
        allows_origin: AllowsOrigin | None = None,
    ) -> None:
        self._application = application
        self._allows_origin = allows_origin or (lambda _scope, _origin: False)
        self._listener = listener or bind()
        self._connections: dict[Any, _Protocol] = {}
        self.port: int = self._listener.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                self._refuse_or_answer,
                interface="asgi3",
                proxy_headers=False,
                http=_known(self._connections),
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=LONGEST_HEAD_BYTES,
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
        # The task closes the listener. Shielded: cancelling one `stop` leaves
        # the task running, and another `stop` can still wait for it.
        await asyncio.shield(self._task)

    async def _refuse_or_answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        _remove_origin(scope)
        reason = reason_to_refuse(
            _values(scope, b"host"),
            _values(scope, b"origin"),
            allows_origin=lambda origin: self._allows_origin(scope, origin),
        )
        scope[RESET_KEY] = lambda: self._reset(scope["client"])
        connection = self._connections.get(scope["client"])
        scope[HEADERS_KEY] = connection.conn.spelled_headers if connection else scope["headers"]
        if connection is not None:
            scope[CLOSE_KEY] = connection.transport.close
            scope[TRAILERS_KEY] = lambda: _as_text(connection.conn.trailers)
        if reason is None:
            await self._application(scope, receive, send)
        else:
            json_type = [("content-type", "application/json")]
            await respond(send, STATUS, json_type, refusal_body(reason))

    def _reset(self, client: object) -> None:
        connection = self._connections.get(client)
        if connection is not None:
            endpoint = connection.transport.get_extra_info("socket")
            endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.transport.abort()


def _as_text(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


async def wait_until_gone(receive: Receive) -> None:
    """Return when the client's connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(receive: Receive, *, limit_bytes: int) -> bytes:
    """Return the whole body.

    Raises:
        BodyTooLongError: It is longer than the limit; uvicorn discards the rest.
        ClientGoneError: The client disconnected before it had sent everything, or sent nothing for
            a while.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        try:
            message = await asyncio.wait_for(receive(), BODY_SECONDS)
        except TimeoutError:
            raise ClientGoneError from None
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            raise BodyTooLongError
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def read_pieces(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the parts of a body as they come.

    Raises ClientGoneError if the client disconnected before it had sent everything.
    """
    is_complete = False
    while not is_complete:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        if piece := message.get("body", b""):
            yield piece
        is_complete = not message.get("more_body", False)


async def respond(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    """Send a complete response, with its `content-length`."""
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _remove_origin(scope: Scope) -> None:
    """Reduce the target of a request in absolute form (`GET http://host/path`) to its path."""
    scheme, separator, rest = scope["raw_path"].partition(b"://")
    if separator and scheme.lower() in {b"http", b"https"}:
        scope["raw_path"] = b"/" + rest.partition(b"/")[2]
        scope["path"] = unquote(scope["raw_path"].decode("ascii"))


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
