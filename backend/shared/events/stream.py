"""Answers in the form of server-sent events: `event: NAME`, `data: JSON`, an empty line.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, NamedTuple

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import StreamingResponse

from shared.errors import FAILURE_KEY, BadDependency, ServiceError
from shared.logging import get_logger
from shared.models import ErrorResponse

MEDIA_TYPE: Final = "text/event-stream"
MAX_EVENT_BYTES: Final = 10 * 1024 * 1024

_HEADERS: Final = {"cache-control": "no-store"}
_log = get_logger(__name__)


class Event(NamedTuple):
    """A server-sent event; `data` is JSON, which has no line breaks."""

    name: str
    data: str

    def encoded(self) -> bytes:
        """Return the event as bytes, with the empty line that ends it."""
        return f"event: {self.name}\ndata: {self.data}\n\n".encode()


type Send = Callable[[Event], Awaitable[None]]
type Work = Callable[[Send], Awaitable[Event]]


def event_of(name: str, body: BaseModel) -> Event:
    """Return an event with a model as its data."""
    return Event(name, body.model_dump_json())


class EventReader:
    """Reads events from the pieces of a stream."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that a piece completes.

        Raises:
            BadDependency: An event is too long.
        """
        *blocks, self._rest = (self._rest + piece).split(b"\n\n")
        if max(map(len, (*blocks, self._rest))) > MAX_EVENT_BYTES:
            raise BadDependency(f"An event of the answer is over {MAX_EVENT_BYTES:,} bytes.")
        return [event for block in blocks if (event := _parse(block)) is not None]


def _parse(block: bytes) -> Event | None:
    fields = dict(line.partition(": ")[::2] for line in block.decode(errors="replace").split("\n"))
    # A block without data is a comment, or the last one of a stream that was cut.
    return Event(fields.get("event", "message"), fields["data"]) if "data" in fields else None


class EventStreamResponse(StreamingResponse):
    """An answer of server-sent events."""

    media_type = MEDIA_TYPE


async def event_stream(request: Request, work: Work) -> EventStreamResponse:
    """Return the answer whose events a function sends, and whose last event it returns.

    An error before the first event is raised, and gets its own status. A later one is sent as the
    event `error`, which is then the last.
    """
    events: asyncio.Queue[Event | None] = asyncio.Queue()
    task = asyncio.ensure_future(work(events.put))
    task.add_done_callback(lambda _: events.put_nowait(None))
    try:
        first = await events.get()
    except asyncio.CancelledError:
        task.cancel()
        raise
    if first is None:
        first = await task
        return EventStreamResponse(_once(first), headers=_HEADERS)
    return EventStreamResponse(_sent(request, first, events, task), headers=_HEADERS)


async def _once(event: Event) -> AsyncIterator[bytes]:
    yield event.encoded()


async def _sent(
    request: Request,
    first: Event,
    events: "asyncio.Queue[Event | None]",
    task: "asyncio.Future[Event]",
) -> AsyncIterator[bytes]:
    try:
        event: Event | None = first
        while event is not None:
            yield event.encoded()
            event = await events.get()
        try:
            last = await task
        except Exception as error:  # noqa: BLE001 - the status has been sent; the event tells it
            last = _failed(request, error)
        yield last.encoded()
    finally:
        task.cancel()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await task


def _failed(request: Request, error: Exception) -> Event:
    if not isinstance(error, ServiceError):
        _log.error("stream_failed", exc_info=error)
        known = ServiceError(
            "Something went wrong on our side; quote the request id when you report it."
        )
        known.__cause__ = error
        error = known
    request.scope[FAILURE_KEY] = error
    return event_of("error", ErrorResponse(error=error.code, detail=error.detail))
