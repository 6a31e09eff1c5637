"""A span for each call by httpx or botocore; an HTTP call carries the trace to its callee.

OpenTelemetry's instrumentations do the same, but their imports add 115 ms to a cold start. Where
they are active, these make no span.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and …/cloud-providers/aws-sdk/
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

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
    # OpenTelemetry's own instrumentation puts a proxy there, which is not a function.
    if isinstance(original, FunctionType) and not hasattr(original, _MARK):
        replacement = traced(original)
        setattr(replacement, _MARK, True)
        setattr(owner, name, replacement)


def _traced_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    async def handle_async_request(transport: Any, request: "httpx.Request") -> "httpx.Response":
        if _is_traced_elsewhere("httpx", "HTTPXClientInstrumentor"):
            return cast("httpx.Response", await original(transport, request))
        with _http_span(request) as span:
            response: httpx.Response = await original(transport, request)
            _add_status(span, response)
            return response

    return handle_async_request


def _traced_sync(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def handle_request(transport: Any, request: "httpx.Request") -> "httpx.Response":
        if _is_traced_elsewhere("httpx", "HTTPXClientInstrumentor"):
            return cast("httpx.Response", original(transport, request))
        with _http_span(request) as span:
            response: httpx.Response = original(transport, request)
            _add_status(span, response)
            return response

    return handle_request


def _traced_aws(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def _make_api_call(client: Any, operation: str, parameters: Any) -> Any:
        if _is_traced_elsewhere("botocore", "BotocoreInstrumentor"):
            return original(client, operation, parameters)
        with _aws_span(client, operation) as span:
            answer = original(client, operation, parameters)
            _add_metadata(span, answer)
            return answer

    return _make_api_call


@contextmanager
def _client_span(name: str, attributes: dict[str, str | int]) -> Iterator[trace.Span]:
    """Make a CLIENT span for a block. An error is recorded by its type: its text may quote data."""
    with trace.get_tracer("fin-advisor").start_as_current_span(
        name,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            answer = getattr(error, "response", None)
            code = type(error).__qualname__
            if isinstance(answer, dict):  # botocore's ClientError
                _add_metadata(span, answer)
                code = answer.get("Error", {}).get("Code") or code
            _fail(span, str(code))
            raise


@contextmanager
def _http_span(request: "httpx.Request") -> Iterator[trace.Span]:
    url = request.url
    attributes: dict[str, str | int] = {
        "http.request.method": request.method,
        # Without the query, which may contain a secret, such as a signature.
        "url.full": f"{url.scheme}://{url.netloc.decode('ascii')}{url.path}",
        "server.address": url.host,
        "server.port": url.port or (443 if url.scheme == "https" else 80),
    }
    with _client_span(request.method, attributes) as span:
        trace_headers.inject(request.headers)
        yield span


def _add_status(span: trace.Span, response: "httpx.Response") -> None:
    span.set_attribute("http.response.status_code", response.status_code)
    if response.status_code >= 400:
        _fail(span, str(response.status_code))


def _aws_span(client: Any, operation: str) -> AbstractContextManager[trace.Span]:
    service = str(client.meta.service_model.service_id)
    return _client_span(
        f"{service}/{operation}",
        {
            "rpc.system.name": "aws-api",
            "rpc.method": f"{service}/{operation}",
            # Older names, by which X-Ray's exporter recognises a call to an AWS service.
            "rpc.system": "aws-api",
            "rpc.service": service,
            "cloud.region": str(client.meta.region_name or ""),
        },
    )


def _add_metadata(span: trace.Span, answer: dict[str, Any]) -> None:
    metadata = answer.get("ResponseMetadata") or {}
    for name, value in {
        "aws.request_id": metadata.get("RequestId"),
        "http.response.status_code": metadata.get("HTTPStatusCode"),
        "http.request.resend_count": metadata.get("RetryAttempts") or None,
    }.items():
        if value is not None:
            span.set_attribute(name, value)


def _fail(span: trace.Span, error_type: str) -> None:
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", error_type)


def _is_traced_elsewhere(library: str, instrumentor: str) -> bool:
    """Return whether OpenTelemetry's own instrumentation has been activated in the meantime."""
    module = sys.modules.get(f"opentelemetry.instrumentation.{library}")
    known = getattr(module, instrumentor, None)
    return known is not None and bool(known().is_instrumented_by_opentelemetry)
