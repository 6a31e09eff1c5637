"""The base class of local implementations of AWS's JSON APIs that moto lacks.

An implementation stores what clients write and returns it. An unknown operation is answered with an
error, not with an empty result.
"""

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from local.aws.wsgi import Environ, StartResponse
from local.aws.wsgi_answers import answer, read_body

type Item = dict[str, Any]
type Operation = Callable[[Item], Item]

CREATED_AT = 1_760_000_000
"""The creation time of every item, in epoch seconds."""


class RefusedOperationError(Exception):
    """The operation fails with AWS's error `code`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class JsonApi:
    """Runs the operation that a request names, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def operation_name(self, environ: Environ) -> str | None:
        """The name of the requested operation; None if the request is not for this API."""
        raise NotImplementedError

    def operation(self, name: str) -> Operation | None:
        """The function that implements the operation `name`; None if there is none."""
        raise NotImplementedError

    def serves(self, environ: Environ) -> bool:
        return self.operation_name(environ) is not None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        name = self.operation_name(environ) or ""
        body = json.loads(read_body(environ) or b"{}")
        headers = {"Content-Type": "application/x-amz-json-1.0"}
        try:
            with self._lock:
                content, status = self._call(name, body), 200
        except RefusedOperationError as error:
            content, status = {"__type": error.code, "message": str(error)}, 400
            headers["x-amzn-ErrorType"] = error.code
        return answer(start_response, status, json.dumps(content).encode(), headers)

    def _call(self, name: str, body: Item) -> Item:
        operation = self.operation(name)
        if operation is None:
            message = f"{name} is not implemented by the local stand-in"
            raise RefusedOperationError("InvalidRequestException", message)
        return operation(body)


def signed_for(environ: Environ) -> str:
    """The service for which the request is signed, from its Authorization header."""
    parts = _credential(environ)
    return parts[3] if len(parts) > 3 else ""


def access_key_of(environ: Environ) -> str:
    """The id of the access key with which the request is signed; empty without a signature."""
    return _credential(environ)[0]


def _credential(environ: Environ) -> list[str]:
    credential = str(environ.get("HTTP_AUTHORIZATION", "")).partition("Credential=")[2]
    return credential.partition(",")[0].split("/")
