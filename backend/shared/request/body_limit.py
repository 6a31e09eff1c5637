"""A limit on the size of request bodies, enforced before they are parsed."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimitMiddleware:
    """Refuses to read a body beyond a limit.

    FastAPI's `max_body_size` is not used: it answers in plain text from outside our middleware,
    without a request id, and the log shows a 500. Here the error is raised while the application
    reads the body, and the application's error handlers answer it.

    Args:
        app: The next ASGI application.
        max_bytes: The largest body that is read.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _content_length(scope)
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            if announced > self._max_bytes:
                raise self._too_large()
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise self._too_large()
            return message

        await self._app(scope, receive_within_limit, send)

    def _too_large(self) -> HTTPException:
        # Starlette's type, because FastAPI turns any other error while reading into a 400.
        return HTTPException(
            413, f"The body is over {self._max_bytes:,} bytes; send less in one request."
        )


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and len(value) <= 16 and value.isdigit():
            return int(value)
    return 0
