"""The answer to an API Gateway event: collected from the application, within Lambda's limits."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from mangum.types import Response
from starlette.types import Message

from shared.errors import error_response
from shared.logging import get_logger, request_context
from shared.request import identity

_log = get_logger(__name__)

LONGEST_ANSWER_BYTES: Final = 6_291_556
"""The longest answer that Lambda accepts, as JSON; a longer one fails the invocation."""


class Exchange:
    """Gives an ASGI application the request's body and collects its answer."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self._is_complete = False

    @property
    def status(self) -> int | None:
        """The status of the answer, once the application has started it."""
        return self._start["status"] if self._start else None

    async def receive(self) -> Message:
        """Return the body; after the whole answer, return that the client has disconnected."""
        if self._body is None:
            if not self._is_complete:
                await asyncio.get_running_loop().create_future()  # API Gateway never disconnects
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Receive an ASGI message of the answer. Raises RuntimeError if it is out of order."""
        if message["type"] == "http.response.start" and self._start is None:
            self._start = message
        elif message["type"] == "http.response.body" and self._start and not self._is_complete:
            self._parts.append(message.get("body", b""))
            self._is_complete = not message.get("more_body", False)
        else:
            raise RuntimeError(f"{message['type']} out of turn")

    def answer(self) -> Response:
        """Return the whole answer. Raises RuntimeError if the application did not complete it."""
        if self._start is None or not self._is_complete:
            raise RuntimeError("the application did not end its answer")
        return {
            "status": self._start["status"],
            "headers": self._start.get("headers", []),
            "body": b"".join(self._parts),
        }


def bounded(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer, or an error answer if Lambda would refuse it for its length."""
    # Encoded as the runtime client does it.
    size = len(json.dumps(answer, ensure_ascii=False).encode(errors="surrogatepass"))
    if size <= LONGEST_ANSWER_BYTES:
        return answer
    return error_answer(
        "response_too_large",
        "The answer is longer than the 6 MB that can be sent; ask for less at a time.",
        answer["headers"],
        bytes=size,
    )


def error_answer(
    code: str, detail: str, headers: Mapping[str, str], **logged: Any
) -> dict[str, Any]:
    """Log an error and return an answer with status 500.

    Args:
        code: The error's stable code, and the event of the log line.
        detail: What the caller reads.
        headers: The headers of the answer that this replaces; those about CORS are kept.
        logged: More fields of the log line.
    """
    kept = {
        name: value
        for name, value in headers.items()
        if name in {identity.REQUEST_ID_HEADER, "vary"} or name.startswith("access-control-")
    }
    request_id = kept.setdefault(identity.REQUEST_ID_HEADER, request_context.request_id())
    invoked = request_context.current() or request_context.RequestContext(request_id)
    token = request_context.bind(invoked._replace(request_id=request_id))
    try:
        _log.error(code, **logged)
        response = error_response(500, code, detail)
    finally:
        request_context.reset(token)
    return {
        "statusCode": response.status_code,
        "headers": {**kept, **response.headers},
        "multiValueHeaders": {},
        "body": bytes(response.body).decode(),
        "isBase64Encoded": False,
    }
