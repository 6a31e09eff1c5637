"""Streaming integrations: the answer of a function in pieces, after a prelude in JSON.

https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from local.compute.runtime_api import InvocationResult
from local.gateway.lambda_proxy import MalformedResultError
from local.net.serving import CLOSE_KEY, Headers, Receive, Scope, Send, wait_until_gone

IDLE_SECONDS: Final = 300.0
"""API Gateway ends a stream after this time without a byte."""

_END_OF_PRELUDE: Final = b"\0" * 8
_LONGEST_PRELUDE_BYTES: Final = 64 * 1024

type OnPiece = Callable[[bytes], None]


class StreamBrokenError(Exception):
    """The stream ended before the answer did."""


class StreamedInvocation:
    """One invocation of a function whose result comes in pieces."""

    def __init__(self, invoke: Callable[[OnPiece], Awaitable[InvocationResult]]) -> None:
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._invoking = asyncio.ensure_future(invoke(self._pieces.put_nowait))
        self._invoking.add_done_callback(lambda _: self._pieces.put_nowait(None))
        self._rest = b""

    async def prelude(self) -> InvocationResult:
        """Wait for the prelude, and return a result with it as the payload; or that it failed.

        Raises MalformedResultError if the answer has no prelude, and the errors of the invocation.
        """
        head = b""
        while _END_OF_PRELUDE not in head:
            if len(head) > _LONGEST_PRELUDE_BYTES:
                raise MalformedResultError("the prelude is too long")
            piece = await self._pieces.get()
            if piece is None:
                result = await self._invoking
                if result.function_error is not None:
                    return result
                raise MalformedResultError("the answer has no prelude")
            head += piece
        prelude, _, self._rest = head.partition(_END_OF_PRELUDE)
        return InvocationResult("", prelude)

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the pieces of the body. Raises StreamBrokenError if the function fails."""
        if self._rest:
            yield self._rest
        while (piece := await self._pieces.get()) is not None:
            yield piece
        result = await self._invoking
        if result.function_error is not None:
            raise StreamBrokenError(result.payload[:2000].decode(errors="replace"))


async def cut(pieces: AsyncIterator[bytes], reason: str) -> AsyncIterator[bytes]:
    """Yield the first piece and half of the second, then raise StreamBrokenError."""
    yield await anext(pieces)
    second = await anext(pieces, b"")
    yield second[: len(second) // 2]
    raise StreamBrokenError(reason)


async def send_pieces(
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    status: int,
    headers: Headers,
    pieces: AsyncIterator[bytes],
    until: float,
    idle_seconds: float = IDLE_SECONDS,
) -> StreamBrokenError | None:
    """Send an answer as its pieces come; close the connection in the middle if it breaks off.

    `until` is the end of the integration's time on the loop's clock. Each piece may take
    `idle_seconds`. Returns why it broke off.
    """
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    try:
        async with asyncio.timeout_at(until):
            while True:
                try:
                    async with asyncio.timeout(idle_seconds):
                        piece = await anext(pieces, None)
                except TimeoutError:
                    raise StreamBrokenError(f"no byte for {idle_seconds:g} s") from None
                if piece is None:
                    await send({"type": "http.response.body", "body": b""})
                    return None
                if piece:
                    message = {"type": "http.response.body", "body": piece, "more_body": True}
                    await send(message)
    except TimeoutError:
        broken = StreamBrokenError("the integration's time is up")
    except StreamBrokenError as error:
        broken = error
    # Without the last chunk, the client sees that the answer is not whole.
    scope[CLOSE_KEY]()
    await wait_until_gone(receive)
    return broken
