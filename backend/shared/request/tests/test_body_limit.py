"""The limit applies to the bytes that arrive, whatever length is announced."""

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from shared.conftest import Lines
from shared.errors import install_error_handlers
from shared.middleware import LoggingMiddleware
from shared.request.body_limit import BodyLimitMiddleware
from shared.testing import app_client

pytestmark = pytest.mark.anyio


async def _read(headers: list[tuple[bytes, bytes]], *chunks: bytes) -> tuple[int, int | None]:
    """Return how many chunks the application reads under a limit of 10 bytes, and the refusal."""
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
        return seen, error.status_code
    return seen, None


@pytest.mark.parametrize(
    ("headers", "chunks", "seen", "refusal"),
    [
        ([], [b"x" * 10], 1, None),
        ([], [b"x" * 5, b"x" * 5, b""], 3, None),
        ([], [b"x" * 11], 0, 413),
        ([], [b"x" * 6, b"x" * 6, b"x"], 1, 413),
        ([(b"content-length", b"11")], [b"x"], 0, 413),
        ([(b"content-length", b"3")], [b"x" * 11], 0, 413),
        ([(b"content-length", b"-5")], [b"x" * 11], 0, 413),
        ([(b"content-length", b"9" * 5000)], [b"x" * 11], 0, 413),
        ([(b"content-length", "٣".encode())], [b"x"], 1, None),
    ],
)
async def test_reading_stops_at_the_limit(
    headers: list[tuple[bytes, bytes]], chunks: list[bytes], seen: int, refusal: int | None
) -> None:
    assert await _read(headers, *chunks) == (seen, refusal)


async def test_a_body_that_is_not_read_is_not_refused() -> None:
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


async def test_fastapis_own_limit_still_answers_from_outside_our_middleware(lines: Lines) -> None:
    app = FastAPI(max_body_size=10)

    @app.post("/items")
    async def post_item(item: dict[str, str]) -> dict[str, str]:
        return item

    install_error_handlers(app)
    app.add_middleware(LoggingMiddleware)
    async with app_client(app) as client:
        response = await client.post("/items", content=b"x" * 11)
    assert response.status_code == 413
    still_outside = (
        response.headers["content-type"].startswith("text/plain")
        and "x-request-id" not in response.headers
    )
    assert still_outside, (
        "FastAPI's max_body_size now answers through the middleware and error handlers of the "
        "application: use it instead of BodyLimitMiddleware."
    )
