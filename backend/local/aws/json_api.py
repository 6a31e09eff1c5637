"""APIs of AWS whose operations take and give JSON, for the stand-ins of what moto lacks.

Each keeps what it was given and gives it back. An operation that it does not know is an error, not
an empty answer.
"""

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from local.aws.server import Environ, StartResponse
from local.aws.wsgi_answers import answer, read_body

type Item = dict[str, Any]
type Operation = Callable[[Item], Item]

MADE_AT = 1_760_000_000
"""When everything was made, in epoch seconds."""


class RefusedOperationError(Exception):
    """The operation fails; `code` is the error that AWS gives then."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class JsonApi:
    """Calls the operation that a request names with the request's body, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def operation_name(self, environ: Environ) -> str | None:
        """The operation that the request asks for, None where it is not this API's."""
        raise NotImplementedError

    def operation(self, name: str) -> Operation | None:
        """What carries it out, None where this stand-in does not know it."""
        raise NotImplementedError

    def serves(self, environ: Environ) -> bool:
        return self.operation_name(environ) is not None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        name = self.operation_name(environ) or ""
        body = json.loads(read_body(environ) or b"{}")
        headers = {"Content-Type": "application/x-amz-json-1.0"}
        try:
            with self._lock:
                content, status = self._carry_out(name, body), 200
        except RefusedOperationError as error:
            content, status = {"__type": error.code, "message": str(error)}, 400
            headers["x-amzn-ErrorType"] = error.code
        return answer(start_response, status, json.dumps(content).encode(), headers)

    def _carry_out(self, name: str, body: Item) -> Item:
        operation = self.operation(name)
        if operation is None:
            raise RefusedOperationError("InvalidRequestException", f"{name} is not stood in for")
        return operation(body)


def signed_for(environ: Environ) -> str:
    """The service that the request was signed for, from its Authorization header."""
    credential = str(environ.get("HTTP_AUTHORIZATION", "")).partition("Credential=")[2]
    parts = credential.partition(",")[0].split("/")
    return parts[3] if len(parts) > 3 else ""
