"""A body is bounded by what arrives, not by what is announced."""

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from shared.request.body_limit import BodyLimitMiddleware

pytestmark = pytest.mark.anyio


async def _read(headers: list[tuple[bytes, bytes]], *chunks: bytes) -> int:
    """Return how many chunks an application gets to see below a limit of 10 bytes."""
    waiting = list(chunks)
    seen = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal seen
        while True:
            message = await receive()
            seen += 1
            if not message["more_body"]:
                return

    async def send(_message: Message) -> None:
        pass

    scope = {"type": "http", "headers": headers}
    try:
        await BodyLimitMiddleware(app, max_bytes=10)(scope, receive, send)
    except HTTPException as error:
        return -seen - 1 if error.status_code == 413 else 0
    return seen


@pytest.mark.parametrize(
    ("headers", "chunks", "seen"),
    [
        ([], [b"x" * 10], 1),
        ([], [b"x" * 5, b"x" * 5, b""], 3),
        ([], [b"x" * 11], -1),
        ([], [b"x" * 6, b"x" * 6, b"x"], -2),
        ([(b"content-length", b"11")], [b"x"], -1),
        ([(b"content-length", b"3")], [b"x" * 11], -1),
        ([(b"content-length", b"-5")], [b"x" * 11], -1),
        ([(b"content-length", b"9" * 5000)], [b"x" * 11], -1),
        ([(b"content-length", "٣".encode())], [b"x"], 1),
    ],
)
async def test_reading_stops_at_the_limit(
    headers: list[tuple[bytes, bytes]], chunks: list[bytes], seen: int
) -> None:
    assert await _read(headers, *chunks) == seen


async def test_a_body_that_nobody_reads_is_not_refused() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    async def receive() -> Message:
        raise AssertionError("must not be read")

    scope = {"type": "http", "headers": [(b"content-length", b"9999")]}
    await BodyLimitMiddleware(app, max_bytes=10)(scope, receive, None)  # type: ignore[arg-type]


async def test_other_scopes_pass_through() -> None:
    passed = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(receive)

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    await BodyLimitMiddleware(app, max_bytes=1)({"type": "lifespan"}, receive, None)  # type: ignore[arg-type]
    assert passed == [receive]
