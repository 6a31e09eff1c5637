"""The answer to an API Gateway event in pieces, as a streaming integration expects it.

A prelude in JSON with the status and the headers, eight NUL bytes, and the body:
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
"""

import json
from collections.abc import Callable
from typing import Any, Final

from mangum.handlers import APIGateway
from starlette.types import Message

from shared.aws_lambda.answers import Exchange

END_OF_PRELUDE: Final = b"\0" * 8

type Write = Callable[[bytes], None]


class AnswerBroken(Exception):
    """The application failed after it had sent a part of its answer."""


class StreamedExchange(Exchange):
    """Gives an ASGI application the request's body, and writes its answer as it comes."""

    def __init__(self, gateway: APIGateway, write: Write) -> None:
        super().__init__(gateway.body)
        self._gateway = gateway
        self._write = write
        self._has_prelude = False

    @property
    def has_begun(self) -> bool:
        """Whether a part of the answer was written, so that its status cannot change."""
        return self._has_prelude

    async def send(self, message: Message) -> None:
        """Write a part of the answer. Raises RuntimeError if it is out of order."""
        await super().send(message)
        if message["type"] == "http.response.body":
            if not self._has_prelude:
                self._has_prelude = True
                write_answer(self._translated(), self._write)
            if piece := b"".join(self._parts):
                self._parts.clear()
                self._write(piece)

    def _translated(self) -> dict[str, Any]:
        """Return the status and headers as Mangum translates them for a buffered answer."""
        assert self._start is not None  # noqa: S101 - `send` has checked the order
        return self._gateway(
            {
                "status": self._start["status"],
                "headers": self._start.get("headers", []),
                "body": b"",
            }
        )


def write_answer(answer: dict[str, Any], write: Write) -> None:
    """Write a whole answer: a result of the proxy format whose body is text."""
    names = ("statusCode", "headers", "multiValueHeaders")
    prelude = {name: answer[name] for name in names}
    write(json.dumps(prelude).encode() + END_OF_PRELUDE)
    if answer["body"]:
        write(answer["body"].encode())
