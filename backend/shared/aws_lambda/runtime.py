"""The loop of a function whose answers can be streamed, in the place of AWS's Python client.

It speaks Lambda's Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
`stream_runtime.sh` starts it. A handler streams the events for which its method `streams` returns
True; every other event is answered at once, as AWS's client does.
"""

import base64
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from email.message import Message
from http.client import HTTPConnection, HTTPResponse
from typing import Any, Final

_PREFIX: Final = "/2018-06-01/runtime"
_ERROR_TYPE: Final = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY: Final = "Lambda-Runtime-Function-Error-Body"
_TRACE_ID: Final = "_X_AMZN_TRACE_ID"

type Handler = Callable[[Any, "Context"], Any]


class Context:
    """The context argument of a handler, with the attributes that AWS documents."""

    def __init__(self, headers: Message) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.client_context = json.loads(headers.get("Lambda-Runtime-Client-Context") or "null")
        self.identity = json.loads(headers.get("Lambda-Runtime-Cognito-Identity") or "null")
        self._ends_ms = int(headers.get("Lambda-Runtime-Deadline-Ms", 0))

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function times out."""
        return max(0, self._ends_ms - int(time.time() * 1000))


class RuntimeClient:
    """One connection to the Runtime API, whose address is `HOST:PORT`."""

    def __init__(self, address: str) -> None:
        # Without a timeout: Lambda freezes the process while it waits for the next event.
        self._connection = HTTPConnection(address)

    def next(self) -> tuple[bytes, Message]:
        """Wait for the next event, and return it with its headers.

        Raises:
            SystemExit: The environment ends.
        """
        self._connection.request("GET", f"{_PREFIX}/invocation/next")
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(f"the Runtime API answered {response.status}")
        return body, response.headers

    def respond(self, request_id: str, body: bytes) -> None:
        """Return the result of an invocation."""
        self._post(f"invocation/{request_id}/response", body)

    def fail(self, error: Mapping[str, Any], request_id: str | None = None) -> None:
        """Report that an invocation failed; without an id, that the function cannot start."""
        path = f"invocation/{request_id}/error" if request_id else "init/error"
        body = json.dumps(error).encode()
        self._post(path, body, {_ERROR_TYPE: str(error["errorType"])})

    def stream(self, request_id: str) -> "ResponseStream":
        """Return the stream of the result of an invocation."""
        return ResponseStream(self._connection, f"{_PREFIX}/invocation/{request_id}/response")

    def _post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        sent = {"Content-Type": "application/json", **(headers or {})}
        self._connection.request("POST", f"{_PREFIX}/{path}", body, sent)
        _discard(self._connection.getresponse())


class ResponseStream:
    """The result of an invocation in chunks; its request starts with the first one."""

    def __init__(self, connection: HTTPConnection, path: str) -> None:
        self._connection = connection
        self._path = path
        self.has_begun = False

    def write(self, piece: bytes) -> None:
        """Send a piece of the result."""
        if not self.has_begun:
            self.has_begun = True
            self._begin()
        if piece:  # an empty chunk would end the answer
            self._connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))

    def end(self, error: Mapping[str, Any] | None = None) -> None:
        """End the result. With an error, what has been sent is not all of it."""
        trailers = ""
        if error is not None:
            body = base64.b64encode(json.dumps(error).encode()).decode()
            trailers = f"{_ERROR_TYPE}: {error['errorType']}\r\n{_ERROR_BODY}: {body}\r\n"
        self._connection.send(f"0\r\n{trailers}\r\n".encode())
        _discard(self._connection.getresponse())

    def _begin(self) -> None:
        connection = self._connection
        connection.putrequest("POST", self._path)
        connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
        connection.putheader("Content-Type", "application/vnd.awslambda.http-integration-response")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.putheader("Trailer", f"{_ERROR_TYPE}, {_ERROR_BODY}")
        connection.endheaders()


def run(client: RuntimeClient, handler: Handler) -> None:
    """Answer one event."""
    body, headers = client.next()
    context = Context(headers)
    trace_id = headers.get("Lambda-Runtime-Trace-Id")
    if trace_id:
        os.environ[_TRACE_ID] = trace_id
    else:
        os.environ.pop(_TRACE_ID, None)
    stream = client.stream(context.aws_request_id)
    try:
        event = json.loads(body)
        streams: Callable[[Any], bool] | None = getattr(handler, "streams", None)
        if streams is not None and streams(event):
            handler.stream(event, context, stream.write)  # type: ignore[attr-defined]
            result = None
        else:
            result = json.dumps(handler(event, context), ensure_ascii=False).encode()
    except Exception as error:  # noqa: BLE001 - reported to Lambda, which fails the invocation
        described = describe(error, context.aws_request_id)
        if stream.has_begun:
            stream.end(described)
        else:
            client.fail(described, context.aws_request_id)
        return
    if result is None:
        stream.end()
    else:
        client.respond(context.aws_request_id, result)


def describe(error: BaseException, request_id: str = "") -> dict[str, Any]:
    """Return an error as Lambda reports it, and write its traceback to the log."""
    traceback.print_exception(error)
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def load_handler(name: str) -> Handler:
    """Return the handler with a name such as `lambda_function.handler`."""
    module, _, attribute = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module.replace("/", ".")), attribute)
    return handler


def _discard(response: HTTPResponse) -> None:
    response.read()  # the connection can send the next request only after this


def main() -> None:
    """Answer events until the environment ends."""
    client = RuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except BaseException as error:  # noqa: BLE001 - also SystemExit, at a missing setting
        client.fail(describe(error))
        sys.exit(1)
    while True:
        run(client, handler)


if __name__ == "__main__":
    main()
