"""A span for each call over HTTP or to AWS, which its callee continues.

What OpenTelemetry's instrumentations of httpx and botocore do, without their 115 ms of imports,
which are a large part of a cold start. Where those are active, this steps aside.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and …/cloud-providers/aws-sdk/
"""

import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from opentelemetry import context, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from shared.telemetry.import_hook import when_imported
from shared.telemetry.propagation import trace_headers

if TYPE_CHECKING:
    import httpx

_MARK = "__fin_advisor_traced__"


def instrument_clients() -> None:
    """Instrument httpx and botocore, now or when they are imported; once a process."""
    when_imported("httpx", _instrument_httpx)
    when_imported("botocore.client", _instrument_botocore)


def _instrument_httpx(module: ModuleType) -> None:
    _replace(module.AsyncHTTPTransport, "handle_async_request", _traced_async)
    _replace(module.HTTPTransport, "handle_request", _traced_sync)


def _instrument_botocore(module: ModuleType) -> None:
    _replace(module.BaseClient, "_make_api_call", _traced_aws)


def _replace(owner: type, name: str, traced: Callable[[Any], Any]) -> None:
    original = getattr(owner, name)
    # What is no function is a proxy of OpenTelemetry's own instrumentation.
    if isinstance(original, FunctionType) and not hasattr(original, _MARK):
        replacement = traced(original)
        setattr(replacement, _MARK, True)
        setattr(owner, name, replacement)


def _traced_async(
    original: "Callable[[Any, httpx.Request], Awaitable[httpx.Response]]",
) -> Callable[..., Any]:
    @wraps(original)
    async def handle_async_request(transport: Any, request: "httpx.Request") -> "httpx.Response":
        if _is_traced_elsewhere("httpx", "HTTPXClientInstrumentor"):
            return await original(transport, request)
        with _HttpCall(request) as call:
            call.response = await original(transport, request)
            return call.response

    return handle_async_request


def _traced_sync(
    original: "Callable[[Any, httpx.Request], httpx.Response]",
) -> Callable[..., Any]:
    @wraps(original)
    def handle_request(transport: Any, request: "httpx.Request") -> "httpx.Response":
        if _is_traced_elsewhere("httpx", "HTTPXClientInstrumentor"):
            return original(transport, request)
        with _HttpCall(request) as call:
            call.response = original(transport, request)
            return call.response

    return handle_request


def _traced_aws(original: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    @wraps(original)
    def _make_api_call(client: Any, operation: str, parameters: Any) -> dict[str, Any]:
        if _is_traced_elsewhere("botocore", "BotocoreInstrumentor"):
            return original(client, operation, parameters)
        with _AwsCall(client, operation) as call:
            answer = original(client, operation, parameters)
            call.answered(answer)
            return answer

    return _make_api_call


class _ClientSpan:
    """A CLIENT span for a block; an error's text may hold data, so only its type is kept."""

    def __init__(self, name: str) -> None:
        tracer = trace.get_tracer("fin-advisor")
        self.span = tracer.start_span(name, kind=SpanKind.CLIENT)
        self._token = context.attach(trace.set_span_in_context(self.span))

    def failed(self, error_type: str) -> None:
        self.span.set_status(Status(StatusCode.ERROR))
        self.span.set_attribute("error.type", error_type)

    def end(self) -> None:
        context.detach(self._token)
        self.span.end()


class _HttpCall(_ClientSpan):
    def __init__(self, request: "httpx.Request") -> None:
        super().__init__(request.method)
        self.response: httpx.Response | None = None
        trace_headers.inject(request.headers)
        if self.span.is_recording():
            url = request.url
            self.span.set_attributes(
                {
                    "http.request.method": request.method,
                    # No query: it may hold what a signed URL or a caller keeps secret.
                    "url.full": f"{url.scheme}://{url.netloc.decode('ascii')}{url.path}",
                    "server.address": url.host,
                    "server.port": url.port or (443 if url.scheme == "https" else 80),
                }
            )

    def __enter__(self) -> "_HttpCall":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.failed(kind.__qualname__)
        elif self.response is not None:
            self.span.set_attribute("http.response.status_code", self.response.status_code)
            if self.response.status_code >= 400:
                self.failed(str(self.response.status_code))
        self.end()


class _AwsCall(_ClientSpan):
    def __init__(self, client: Any, operation: str) -> None:
        service = str(client.meta.service_model.service_id)
        super().__init__(f"{service}/{operation}")
        if self.span.is_recording():
            self.span.set_attributes(
                {
                    "rpc.system.name": "aws-api",
                    "rpc.method": f"{service}/{operation}",
                    # X-Ray's exporter makes an AWS service of a span that has these older names.
                    "rpc.system": "aws-api",
                    "rpc.service": service,
                    "cloud.region": str(client.meta.region_name or ""),
                }
            )

    def __enter__(self) -> "_AwsCall":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        answer = getattr(error, "response", None)
        if isinstance(answer, dict):  # a ClientError
            self.answered(answer)
            self.failed(str(answer.get("Error", {}).get("Code") or "ClientError"))
        elif kind is not None:
            self.failed(kind.__qualname__)
        self.end()

    def answered(self, answer: dict[str, Any]) -> None:
        told = answer.get("ResponseMetadata") or {}
        if not self.span.is_recording() or not isinstance(told, dict):
            return
        attributes = {
            "aws.request_id": told.get("RequestId"),
            "http.response.status_code": told.get("HTTPStatusCode"),
            "http.request.resend_count": told.get("RetryAttempts") or None,
        }
        self.span.set_attributes(
            {name: value for name, value in attributes.items() if value is not None}
        )


def _is_traced_elsewhere(library: str, instrumentor: str) -> bool:
    """Whether OpenTelemetry's own instrumentation was turned on since."""
    module = sys.modules.get(f"opentelemetry.instrumentation.{library}")
    known = getattr(module, instrumentor, None)
    return known is not None and bool(known().is_instrumented_by_opentelemetry)
