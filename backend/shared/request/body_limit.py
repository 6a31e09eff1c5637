"""A bound on request bodies, held before anything parses them."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimitMiddleware:
    """Refuses to read more of a body than it may hold.

    The refusal is raised where the application reads, so that its error handlers answer.

    Args:
        app: The application below.
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

        async def bounded() -> Message:
            nonlocal received
            if announced > self._max_bytes:
                raise self._refusal()
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise self._refusal()
            return message

        await self._app(scope, bounded, send)

    def _refusal(self) -> HTTPException:
        # Starlette's type, because FastAPI turns any other error while reading into a 400.
        return HTTPException(
            413, f"The body is over {self._max_bytes:,} bytes; send less in one request."
        )


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and len(value) <= 16 and value.isdigit():
            return int(value)
    return 0
