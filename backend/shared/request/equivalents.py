"""Serves a path with a trailing slash like the path without it, and HEAD like GET."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class EquivalentRequests:
    """Changes requests before routing; the answer to HEAD is that to GET without its body.

    FastAPI would answer a trailing slash with a redirect whose host and path lack the gateway's
    stage, and HEAD with 405.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Changed in place: the middleware outside reads what the application stores in the scope.
        scope["path"] = scope["path"].rstrip("/") or "/"
        if scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        scope["method"] = "GET"

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app(scope, receive, send_without_body)
