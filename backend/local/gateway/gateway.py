"""The gateway: one REST API served by API Gateway's rules, as an ASGI application.

The checks run in API Gateway's order: stage, resource, user's token, key, throttle and quota, size,
integration.
A refused request gets AWS's status and body. Every answer has headers with the ids of its `Hop`.
"""

import asyncio
import base64
import contextlib
import dataclasses
import json
import logging
import secrets
import time
import uuid
from typing import TYPE_CHECKING

import httpx

from local.blueprint import (
    GATEWAY_RESPONSES,
    ApiKey,
    FunctionIntegration,
    HttpIntegration,
    MockIntegration,
    RestApi,
)
from local.compute.functions import PAYLOAD_LIMIT_BYTES, Functions, FunctionThrottledError
from local.faults import Faults
from local.gateway import faults as faulty
from local.gateway.exchange import Answer, GatewayRequest
from local.gateway.hops import Hop, Hops
from local.gateway.http_proxy import ConfigurationError, WebProxy, evaluate
from local.gateway.lambda_proxy import MalformedResultError, proxy_answer, proxy_event
from local.gateway.matching import Match, match
from local.gateway.refusals import Refusal, RefusedError
from local.gateway.segments import Record, function_segment, gateway_segment
from local.gateway.streaming import IDLE_SECONDS, StreamedInvocation, send_pieces
from local.gateway.throttle import TokenBucket
from local.gateway.usage import UsageMeter, Verdict
from local.net.loopback_only import is_own_origin
from local.net.serving import (
    HEADERS_KEY,
    BodyTooLongError,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    read_body,
    respond,
)
from local.traces.spans import Span
from local.traces.xray_header import TraceHeader, new_span_id

PAYLOAD_LIMIT = 10 * 1024 * 1024
HEAD_LIMIT = 10_240
_WITHOUT_BODY = frozenset([204, 304])

if TYPE_CHECKING:
    from local.gateway.authorizer import CognitoAuthorizer

_log = logging.getLogger(__name__)
_VERDICTS = {
    Verdict.FORBIDDEN: Refusal.FORBIDDEN,
    Verdict.THROTTLED: Refusal.THROTTLED,
    Verdict.QUOTA_EXCEEDED: Refusal.QUOTA_EXCEEDED,
}


class Gateway:
    """Serves `/{stage}/…`.

    `stage_variables` starts as a copy of the API's; callers may change it while the gateway serves.
    `record` is called with the spans that AWS's services would record. `authorizer` checks the
    tokens of methods that need a user; whoever needs one sets it. A stream ends after
    `stream_idle_seconds` without a byte.
    """

    def __init__(
        self,
        api: RestApi,
        functions: Functions,
        hops: Hops,
        *,
        usage: UsageMeter | None = None,
        record: Record | None = None,
        faults: Faults | None = None,
        stream_idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.authorizer: CognitoAuthorizer | None = None
        self._faults = faults or Faults()
        self.stage_variables = dict(api.stage_variables)
        self.usage = usage or UsageMeter(api)
        self._api = api
        self._functions = functions
        self._hops = hops
        self._record_spans = record
        self._stream_idle_seconds = stream_idle_seconds
        self._proxy = WebProxy(api)
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        self._running: set[asyncio.Task[Answer]] = set()

    def allows_origin(self, scope: Scope, origin: str) -> bool:
        """Whether the stage accepts requests of web pages at `origin` (`cors_origins`)."""
        path = f"/{scope['path'].strip('/')}/"
        return origin in self._api.cors_origins and path.startswith(f"/{self._api.stage}/")

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await self._proxy.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request, began = _request(scope), asyncio.get_running_loop().time()
        service, key = "", self.usage.key(request.header("x-api-key"))
        try:
            _check_size(request)
            found = self._route(request)
            service = _service_of(found)
            claims = self._claims(request, found)
            self._admit(request, found, key)
            body = await read_body(receive, limit_bytes=PAYLOAD_LIMIT)
            request = dataclasses.replace(request, body=body, key=key, claims=claims)
            answer = await self._integrate(request, found)
        except ClientGoneError:
            return
        except BodyTooLongError:
            answer = self._refuse(Refusal.REQUEST_TOO_LARGE, request)
        except RefusedError as refused:
            _log.debug("%s %s: %s", request.method, request.raw_path, refused)
            answer = self._refuse(refused.refusal, request)
        if answer.pieces is None:
            self._record(request, service, key, answer)
        headers = [
            *answer.headers,
            ("x-amzn-requestid", request.request_id),
            ("x-amz-apigw-id", request.extended_request_id),
            ("x-amzn-trace-id", f"Root={request.trace.root};Sampled={int(request.trace.sampled)}"),
        ]
        if answer.pieces is not None:
            broken = await send_pieces(
                scope,
                receive,
                send,
                status=answer.status,
                headers=headers,
                pieces=answer.pieces,
                until=began + answer.seconds,
                idle_seconds=self._stream_idle_seconds,
            )
            if broken is not None:
                _log.warning("%s %s broke off: %s", request.method, request.raw_path, broken)
            self._record(request, service, key, answer)
            return
        has_body = request.method != "HEAD" and answer.status not in _WITHOUT_BODY
        with contextlib.suppress(ClientGoneError):
            await respond(send, answer.status, headers, answer.body if has_body else b"")

    def _route(self, request: GatewayRequest) -> Match:
        if not f"{request.raw_path}/".startswith(f"/{self._api.stage}/"):
            raise RefusedError(Refusal.FORBIDDEN)
        found = match(self._api.resources, request.method, request.path)
        if found is None:
            raise RefusedError(Refusal.MISSING_AUTHENTICATION_TOKEN)
        return found

    def _claims(self, request: GatewayRequest, found: Match) -> dict[str, str] | None:
        if not found.method.needs_user:
            return None
        if self.authorizer is None:
            raise RefusedError(Refusal.INTERNAL_ERROR, "the authorizer is not configured")
        return self.authorizer.claims(request.header("authorization"))

    def _admit(self, request: GatewayRequest, found: Match, key: ApiKey | None) -> None:
        if found.method.api_key_required:
            refusal = _VERDICTS.get(self.usage.admit(key))
            if refusal is not None:
                raise RefusedError(refusal)
        limited = self._api if found.method.rate_per_second is None else found.method
        if limited.rate_per_second is not None:
            method = (found.resource, request.method)
            if method not in self._buckets:
                self._buckets[method] = TokenBucket(
                    limited.rate_per_second, limited.burst, time.monotonic
                )
            if not self._buckets[method].take():
                raise RefusedError(Refusal.THROTTLED, "the method's rate limit")

    def _refuse(self, refusal: Refusal, request: GatewayRequest) -> Answer:
        kind = GATEWAY_RESPONSES[refusal.status >= 500]
        extra = [
            (name.lower(), evaluate(expression, request, self.stage_variables))
            for name, expression in self._api.refusal_headers.get(kind, {}).items()
        ]
        return Answer(refusal.status, [*refusal.headers, *extra], refusal.body)

    async def _integrate(self, request: GatewayRequest, found: Match) -> Answer:
        integration = found.method.integration
        if isinstance(integration, MockIntegration):
            return self._mock(integration, request)
        if isinstance(integration, HttpIntegration):
            work = self._call_service(integration, request, found)
        else:
            work = self._call_function(integration, request, found)
        fault = self._faults.draw(_service_of(found))
        if fault is not None:
            work = faulty.integrate(fault, integration, work)
        # Shielded: the function keeps running after the gateway has timed out.
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._forget)
        try:
            own_seconds = getattr(integration, "timeout_seconds", None)
            return await asyncio.wait_for(
                asyncio.shield(task), own_seconds or self._api.integration_timeout_seconds
            )
        except TimeoutError:
            raise RefusedError(Refusal.INTEGRATION_TIMEOUT) from None

    def _mock(self, integration: MockIntegration, request: GatewayRequest) -> Answer:
        headers = dict(integration.headers)
        origin = request.header("origin")
        if (
            origin is not None
            and "access-control-allow-origin" in headers
            and (origin in self._api.cors_origins or is_own_origin(origin))
        ):
            headers["access-control-allow-origin"] = origin
        return Answer(integration.status, list(headers.items()), b"")

    async def _call_function(
        self, integration: FunctionIntegration, request: GatewayRequest, found: Match
    ) -> Answer:
        try:
            pool = self._functions[integration.function_name]
        except KeyError:
            reason = f"no function {integration.function_name}"
            raise RefusedError(Refusal.INTERNAL_ERROR, reason) from None
        event = json.dumps(proxy_event(request, found, self._api)).encode()
        if len(event) > PAYLOAD_LIMIT_BYTES:
            raise RefusedError(Refusal.REQUEST_TOO_LARGE)
        span_id, began = new_span_id(), time.time_ns()
        header = str(request.trace.child_of(span_id))
        streamed: StreamedInvocation | None = None
        try:
            if integration.streams:
                streamed = StreamedInvocation(
                    lambda take: pool.invoke(event, trace_id=header, on_piece=take)
                )
                result = await streamed.prelude()
            else:
                result = await pool.invoke(event, trace_id=header)
        except FunctionThrottledError as error:
            raise RefusedError(Refusal.INTERNAL_ERROR, f"{error} is throttled") from error
        except MalformedResultError as error:
            _log.warning("%s did not stream: %s", pool.function.name, error)
            raise RefusedError(Refusal.FUNCTION_FAILED, str(error)) from error
        failed = result.function_error is not None
        span = function_segment(request, span_id, pool.function.name, began, failed=failed)
        self._record_span(request, span)
        if failed:
            _log.warning(
                "%s failed: %s", pool.function.name, result.payload[:2000].decode(errors="replace")
            )
            raise RefusedError(Refusal.FUNCTION_FAILED)
        try:
            answer = proxy_answer(
                result.payload, request, self._api, target_request_id=result.request_id
            )
            if streamed is None:
                return answer
            seconds = integration.timeout_seconds or self._api.integration_timeout_seconds
            return dataclasses.replace(answer, pieces=streamed.body(), seconds=seconds)
        except MalformedResultError as error:
            _log.warning("%s returned a malformed proxy result: %s", pool.function.name, error)
            raise RefusedError(Refusal.FUNCTION_FAILED, str(error)) from error

    async def _call_service(
        self, integration: HttpIntegration, request: GatewayRequest, found: Match
    ) -> Answer:
        try:
            return await self._proxy.send(integration, request, found, self.stage_variables)
        except ConfigurationError as error:
            _log.warning("%s: %s", integration.service, error)
            raise RefusedError(Refusal.INTERNAL_ERROR, str(error)) from error
        except httpx.TimeoutException as error:
            raise RefusedError(Refusal.INTEGRATION_TIMEOUT) from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            _log.warning("%s cannot be reached: %r", integration.service, error)
            raise RefusedError(Refusal.INTEGRATION_UNREACHABLE) from error

    def _forget(self, task: asyncio.Task[Answer]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # asyncio logs an exception that nobody has retrieved

    def _record_span(self, request: GatewayRequest, span: Span) -> None:
        if self._record_spans is not None and request.trace.sampled:
            self._record_spans([span])

    def _record(
        self, request: GatewayRequest, service: str, key: ApiKey | None, answer: Answer
    ) -> None:
        self._record_span(request, gateway_segment(request, answer))
        self._hops.add(
            Hop(
                request_id=request.request_id,
                trace_id=request.trace.root,
                caller=key.name if key else "",
                service=service,
                method=request.method,
                path=request.raw_path,
                status=answer.status,
                started_at=request.started_at,
                duration_ms=round((time.time() - request.started_at) * 1000, 1),
                target_request_id=answer.target_request_id,
            )
        )


def _check_size(request: GatewayRequest) -> None:
    """Raise RefusedError if the URL or the headers are longer than API Gateway accepts."""
    if len(request.raw_path) + len(request.query) > HEAD_LIMIT:
        raise RefusedError(Refusal.URL_TOO_LONG)
    if sum(len(name) + len(value) for name, value in request.headers) > HEAD_LIMIT:
        raise RefusedError(Refusal.HEADERS_TOO_LARGE)


def _request(scope: Scope) -> GatewayRequest:
    spelled = scope.get(HEADERS_KEY, scope["headers"])
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in spelled]
    # API Gateway ignores further slashes before the stage, and before the path behind it.
    raw_path = "/" + scope["raw_path"].decode("latin-1").partition("?")[0].lstrip("/")
    traced = next((value for name, value in headers if name.lower() == "x-amzn-trace-id"), None)
    trace = TraceHeader.parse(traced)
    stage_length = raw_path.find("/", 1)
    return GatewayRequest(
        request_id=str(uuid.uuid4()),
        extended_request_id=base64.b64encode(secrets.token_bytes(11)).decode(),
        method=scope["method"],
        path="/" + raw_path[stage_length:].lstrip("/") if stage_length > 0 else "/",
        raw_path=raw_path,
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        source_ip=scope["client"][0] if scope.get("client") else "127.0.0.1",
        trace=trace.child_of(new_span_id()),
        caller_span=trace.parent if f"Parent={trace.parent}" in (traced or "") else "",
    )


def _service_of(found: Match) -> str:
    return found.resource.strip("/").partition("/")[0]
