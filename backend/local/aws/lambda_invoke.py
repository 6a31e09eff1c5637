"""Lambda's Invoke API at the embedded AWS: `aws lambda invoke` runs a function of the estate."""

import asyncio
import base64
import re
from collections.abc import Iterable
from urllib.parse import unquote

from local.aws.wsgi import Environ, StartResponse
from local.aws.wsgi_answers import answer, answer_error, read_body
from local.blueprint import ACCOUNT_ID, REGION
from local.compute.functions import (
    PAYLOAD_LIMIT_BYTES,
    FunctionPool,
    Functions,
    FunctionThrottledError,
)
from local.compute.runtime_api import InvocationResult
from local.traces.xray_header import TraceHeader

_INVOKE = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")


class LambdaInvocations:
    """Implements Invoke. Called in moto's threads; the functions run in the event loop `loop`."""

    def __init__(self, functions: Functions, loop: asyncio.AbstractEventLoop) -> None:
        self._functions = functions
        self._loop = loop

    def serves(self, environ: Environ) -> bool:
        path = environ["PATH_INFO"]
        return environ["REQUEST_METHOD"] == "POST" and _INVOKE.fullmatch(path) is not None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        found = _INVOKE.fullmatch(environ["PATH_INFO"])
        name = unquote(found["name"]) if found else ""
        try:
            pool = self._functions[name]
        except KeyError:
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}"
            message = f"Function not found: {arn}"
            return answer_error(start_response, 404, "ResourceNotFoundException", message)
        payload = read_body(environ) or b"{}"
        if len(payload) > PAYLOAD_LIMIT_BYTES:
            message = (
                f"{len(payload)} byte payload is too large for the RequestResponse invocation type "
                f"(limit {PAYLOAD_LIMIT_BYTES} bytes)"
            )
            return answer_error(start_response, 413, "RequestTooLargeException", message)
        kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")
        if kind == "DryRun":
            return answer(start_response, 204, b"")
        return self._invoke(pool, payload, environ, start_response, wait=kind != "Event")

    def _invoke(
        self,
        pool: FunctionPool,
        payload: bytes,
        environ: Environ,
        start_response: StartResponse,
        *,
        wait: bool,
    ) -> Iterable[bytes]:
        context = environ.get("HTTP_X_AMZ_CLIENT_CONTEXT")
        work = pool.invoke(
            payload,
            trace_id=str(TraceHeader.parse(environ.get("HTTP_X_AMZN_TRACE_ID"))),
            client_context=base64.b64decode(context).decode() if context else None,
        )
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        if not wait:
            return answer(start_response, 202, b"")
        try:
            result: InvocationResult = future.result()
        except FunctionThrottledError:
            return answer_error(start_response, 429, "TooManyRequestsException", "Rate Exceeded.")
        headers = {"X-Amz-Executed-Version": "$LATEST"}
        if result.function_error is not None:
            headers["X-Amz-Function-Error"] = result.function_error
        return answer(start_response, 200, result.payload, headers)
