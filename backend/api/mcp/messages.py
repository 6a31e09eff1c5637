"""JSON-RPC messages: one request or notification is read, one result or error is written.

https://www.jsonrpc.org/specification
"""

import json
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from starlette.responses import Response

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602

MAX_BYTES: Final = 1024 * 1024
"""The largest message: texts for `ingest`; files go through `POST /ingestions`."""

type RequestId = str | int


class RpcError(Exception):
    """An error of the protocol; errors of a tool are results.

    Args:
        code: The JSON-RPC error code.
        message: What is wrong.
        status: The HTTP status.
        data: More about the error, for programs.
    """

    def __init__(
        self, code: int, message: str, *, status: int = 400, data: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.data = data


@dataclass(frozen=True)
class Message:
    """A request, or a notification, which has no id and gets no answer."""

    method: str
    params: dict[str, Any]
    id: RequestId | None

    @property
    def meta(self) -> dict[str, Any]:
        """The metadata of the request."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}


def parse(body: bytes) -> Message:
    """Return the message in a body.

    Raises:
        RpcError: It is no JSON, a batch, or no request.
    """
    if len(body) > MAX_BYTES:
        raise RpcError(INVALID_REQUEST, f"A message has at most {MAX_BYTES:,} bytes.", status=413)
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise RpcError(PARSE_ERROR, "The body is not valid JSON.") from None
    if isinstance(value, list):
        raise RpcError(INVALID_REQUEST, "Batches are not supported; send one message a request.")
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, "A message is an object with jsonrpc 2.0.")
    method, params, request_id = value.get("method"), value.get("params", {}), value.get("id")
    if not isinstance(method, str) or not isinstance(params, dict):
        raise RpcError(INVALID_REQUEST, "A message has a method, and its params are an object.")
    if "id" in value and (isinstance(request_id, bool) or not isinstance(request_id, str | int)):
        raise RpcError(INVALID_REQUEST, "The id is a string or an integer.")
    return Message(method, params, request_id)


def result_response(request_id: RequestId | None, result: dict[str, Any]) -> Response:
    """Return the response with a result."""
    return _response(200, {"id": request_id, "result": result})


def error_response(request_id: RequestId | None, error: RpcError) -> Response:
    """Return the response with an error; without an id if the request's could not be read."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    identified = {} if request_id is None else {"id": request_id}
    return _response(error.status, {**identified, "error": body})


def _response(status: int, message: dict[str, Any]) -> Response:
    # In ASCII: an id from outside may have a lone surrogate, which UTF-8 cannot encode.
    body = json.dumps({"jsonrpc": "2.0", **message}, allow_nan=False)
    return Response(body, status, media_type="application/json")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
