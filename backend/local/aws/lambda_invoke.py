"""Lambda's Invoke API at the embedded AWS: `aws lambda invoke` runs a function of the estate."""

import asyncio
import base64
import json
import re
from collections.abc import Iterable
from typing import Never
from urllib.parse import parse_qs

from local.aws import function_names
from local.aws.function_names import RefusedRequestError
from local.aws.wsgi import Environ, StartResponse
from local.aws.wsgi_answers import answer, answer_error, read_body
from local.blueprint import Function
from local.compute.functions import (
    PAYLOAD_LIMIT_BYTES,
    FunctionPool,
    Functions,
    FunctionThrottledError,
)
from local.compute.runtime_api import InvocationResult
from local.traces.xray_header import TraceHeader

_INVOKE = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")
_KINDS = ("RequestResponse", "Event", "DryRun")
_EVENT_LIMIT_BYTES = 1024 * 1024
_TAIL_BYTES = 4096


class LambdaInvocations:
    """Implements Invoke. Called in moto's threads; the functions run in the event loop `loop`."""

    def __init__(self, functions: Functions, loop: asyncio.AbstractEventLoop) -> None:
        self._functions = functions
        self._loop = loop

    def serves(self, environ: Environ) -> bool:
        path = environ["PATH_INFO"]
        return environ["REQUEST_METHOD"] == "POST" and _INVOKE.fullmatch(path) is not None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")
        try:
            pool, qualifier = self._named(environ)
            payload = _payload(environ, kind)
        except RefusedRequestError as error:
            return answer_error(start_response, error.status, error.code, str(error))
        if kind == "DryRun":
            return answer(start_response, 204, b"")
        return self._invoke(pool, qualifier, payload, environ, start_response, wait=kind != "Event")

    def _named(self, environ: Environ) -> tuple[FunctionPool, str | None]:
        found = _INVOKE.fullmatch(environ["PATH_INFO"])
        parameters = parse_qs(str(environ.get("QUERY_STRING", "")))
        [qualifier] = parameters.get("Qualifier", [None])
        named = function_names.parse(found["name"] if found else "", qualifier)
        try:
            pool = self._functions[named.name]
        except KeyError:
            raise named.not_found() from None
        if named.qualifier not in {None, "$LATEST", pool.function.alias, pool.function.version}:
            raise named.not_found()
        return pool, named.qualifier

    def _invoke(
        self,
        pool: FunctionPool,
        qualifier: str | None,
        payload: bytes,
        environ: Environ,
        start_response: StartResponse,
        *,
        wait: bool,
    ) -> Iterable[bytes]:
        context = environ.get("HTTP_X_AMZ_CLIENT_CONTEXT")
        wants_log = wait and environ.get("HTTP_X_AMZ_LOG_TYPE") == "Tail"
        work = pool.invoke(
            payload,
            trace_id=str(TraceHeader.parse(environ.get("HTTP_X_AMZN_TRACE_ID"))),
            client_context=base64.b64decode(context).decode() if context else None,
            arn=pool.function.qualified_arn(qualifier),
            wants_output=wants_log,
        )
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        if not wait:
            return answer(start_response, 202, b"")
        try:
            result: InvocationResult = future.result()
        except FunctionThrottledError:
            return answer_error(start_response, 429, "TooManyRequestsException", "Rate Exceeded.")
        version = pool.function.version if qualifier == pool.function.alias else qualifier
        headers = {"X-Amz-Executed-Version": version or "$LATEST"}
        if result.function_error is not None:
            headers["X-Amz-Function-Error"] = result.function_error
        if wants_log:
            headers["X-Amz-Log-Result"] = _tail(result, pool.function, version or "$LATEST")
        return answer(start_response, 200, result.payload, headers)


def _payload(environ: Environ, kind: str) -> bytes:
    """The event in the request's body. Raises RefusedRequestError if Lambda refuses it."""
    if kind not in _KINDS:
        raise function_names.validation_error(
            [
                f"Value '{kind}' at 'invocationType' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(_KINDS)}]"
            ]
        )
    payload = read_body(environ) or b"{}"
    limit = _EVENT_LIMIT_BYTES if kind == "Event" else PAYLOAD_LIMIT_BYTES
    if len(payload) > limit:
        message = (
            f"{len(payload)} byte payload is too large for the {kind} invocation type "
            f"(limit {limit} bytes)"
        )
        raise RefusedRequestError(413, "RequestTooLargeException", message)
    try:
        json.loads(payload.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        message = (
            "Could not parse request body into json: Could not parse payload into json: "
            f"{_describe(error)}"
        )
        raise RefusedRequestError(400, "InvalidRequestContentException", message) from error
    return payload


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _describe(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"Invalid UTF-8 start byte 0x{error.object[error.start]:x}"
    return str(error)


def _tail(result: InvocationResult, function: Function, version: str) -> str:
    """The last lines of an invocation's log, with those that Lambda writes around the output."""
    request_id, milliseconds = result.request_id, result.duration_ms
    start = f"START RequestId: {request_id} Version: {version}\n"
    report = (
        f"END RequestId: {request_id}\n"
        f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
        f"Billed Duration: {milliseconds:.0f} ms\tMemory Size: {function.memory_mb} MB\t\n"
    )
    log = start.encode() + result.output + report.encode()
    return base64.b64encode(log[-_TAIL_BYTES:]).decode()
