"""The Lambda Runtime API: the four routes through which a function's process receives events and
returns results.

Each execution environment has its own server, as on Lambda, because nothing in the protocol
identifies the process.
"""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from local.net.serving import (
    TRAILERS_KEY,
    Asgi,
    BodyTooLongError,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    Server,
    read_body,
    read_pieces,
    respond,
)

RESPONSE_LIMIT_BYTES = 6_291_556  # 6 MB and 100 bytes, as in Lambda's error message

_PREFIX = "/2018-06-01/runtime"
_STREAMS = (b"lambda-runtime-function-response-mode", b"streaming")
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"
_READ_LIMIT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """The result of an invocation. If the function failed, `function_error` is `Unhandled` and
    `payload` is the error. `output` is what the function printed, if the caller asked for it.
    """

    request_id: str
    payload: bytes
    function_error: str | None = None
    output: bytes = b""
    duration_ms: float = 0.0

    @classmethod
    def failure(cls, request_id: str, error_type: str, message: str) -> "InvocationResult":
        body = {
            "errorType": error_type,
            "errorMessage": f"RequestId: {request_id} Error: {message}",
        }
        return cls(request_id, json.dumps(body).encode(), "Unhandled")


@dataclass(slots=True)
class Invocation:
    """An event for a function, and the future of its result. `trace_id` is an X-Amzn-Trace-Id
    value.
    """

    payload: bytes
    timeout_seconds: float
    function_arn: str
    trace_id: str
    client_context: str | None = None
    wants_output: bool = False
    on_piece: Callable[[bytes], None] | None = None
    """Called with each piece of a streamed result, which is then not in the payload."""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    result: asyncio.Future[InvocationResult] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def finish(self, result: InvocationResult) -> None:
        if not self.result.done():
            self.result.set_result(result)


class RuntimeApi:
    """The Runtime API of one environment. `ready` is set while the process waits for an event."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.init_error: str | None = None
        self.init_error_payload: bytes | None = None
        self._events: asyncio.Queue[Invocation | None] = asyncio.Queue()
        self._current: Invocation | None = None
        self._server = Server(self._application())

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.port}"

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        self._events.put_nowait(None)
        await self._server.stop()

    def submit(self, invocation: Invocation) -> None:
        self._events.put_nowait(invocation)

    def _application(self) -> Asgi:
        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope["path"].removeprefix(_PREFIX)
            try:
                if path == "/invocation/next":
                    await self._next(send)
                elif path == "/init/error":
                    await self._init_error(receive, send)
                elif path.startswith("/invocation/"):
                    await self._finish(path.split("/")[2:], scope, receive, send)
                else:
                    await _refuse(send, 404, "NotFound", scope["path"])
            except ClientGoneError:
                pass  # the process was killed while it sent a request

        return application

    async def _next(self, send: Send) -> None:
        self.ready.set()
        invocation = await self._events.get()
        self._current = invocation
        self.ready.clear()
        if invocation is None:  # the environment is being stopped
            await _refuse(send, 410, "Gone", "The environment is being stopped")
            return
        deadline_ms = int((time.time() + invocation.timeout_seconds) * 1000)
        headers = [
            ("content-type", "application/json"),
            ("lambda-runtime-aws-request-id", invocation.request_id),
            ("lambda-runtime-deadline-ms", str(deadline_ms)),
            ("lambda-runtime-invoked-function-arn", invocation.function_arn),
            ("lambda-runtime-trace-id", invocation.trace_id),
        ]
        if invocation.client_context is not None:
            headers.append(("lambda-runtime-client-context", invocation.client_context))
        await respond(send, 200, headers, invocation.payload)

    async def _init_error(self, receive: Receive, send: Send) -> None:
        body = await read_body(receive, limit_bytes=_READ_LIMIT_BYTES)
        self.init_error_payload = body
        try:
            error = json.loads(body)
            self.init_error = f"{error['errorType']}: {error['errorMessage']}"
        except (ValueError, KeyError, TypeError):
            self.init_error = body.decode(errors="replace")
        await _accept(send)

    async def _finish(self, path: list[str], scope: Scope, receive: Receive, send: Send) -> None:
        request_id, outcome = path if len(path) == 2 else ("", "")
        current = self._current
        is_current = current is not None and current.request_id == request_id
        if current is not None and is_current and _STREAMS in scope["headers"]:
            await _take_stream(current, scope, receive)
            await _accept(send)
            return
        too_long = False
        try:
            body = await read_body(receive, limit_bytes=_READ_LIMIT_BYTES)
        except BodyTooLongError:
            body, too_long = b"", True
        if current is None or current.request_id != request_id:
            await _refuse(send, 400, "InvalidRequestID", "Invalid request ID")
            return
        if outcome == "error":
            current.finish(InvocationResult(request_id, body, "Unhandled"))
            await _accept(send)
        elif too_long or len(body) > RESPONSE_LIMIT_BYTES:
            size = f" ({len(body)} bytes)" if body else ""
            message = (
                f"Response payload size{size} exceeded maximum allowed payload size "
                f"({RESPONSE_LIMIT_BYTES} bytes)."
            )
            error_type = "Function.ResponseSizeTooLarge"
            current.finish(
                InvocationResult(
                    request_id,
                    json.dumps({"errorType": error_type, "errorMessage": message}).encode(),
                    "Unhandled",
                )
            )
            await _refuse(send, 413, "RequestEntityTooLarge", message)
        else:
            current.finish(InvocationResult(request_id, body))
            await _accept(send)


async def _take_stream(invocation: Invocation, scope: Scope, receive: Receive) -> None:
    """Pass on the pieces of a result as they come, and finish the invocation at their end."""
    pieces: list[bytes] = []
    take = invocation.on_piece or pieces.append
    async for piece in read_pieces(receive):
        take(piece)
    trailers = scope[TRAILERS_KEY]()
    if _ERROR_TYPE in trailers:
        # The stream ends normally, but the function failed in the middle.
        payload, error = base64.b64decode(trailers.get(_ERROR_BODY, "")), "Unhandled"
    else:
        payload, error = b"".join(pieces), None
    invocation.finish(InvocationResult(invocation.request_id, payload, error))


async def _accept(send: Send) -> None:
    await respond(send, 202, [("content-type", "application/json")], b'{"status":"OK"}')


async def _refuse(send: Send, status: int, error_type: str, message: str) -> None:
    body = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
    await respond(send, status, [("content-type", "application/json")], body)
