"""A span for each call by httpx or botocore; an HTTP call carries the trace to its callee.

OpenTelemetry's instrumentations do the same, but their imports add 115 ms to a cold start. Where
they are active, these make no span.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and …/cloud-providers/aws-sdk/
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import wrapt
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from shared.telemetry.propagation import trace_headers

if TYPE_CHECKING:
    import httpx

_Method = Callable[..., Any]

_HTTPX: Final = ("opentelemetry.instrumentation.httpx", "HTTPXClientInstrumentor")
_BOTOCORE: Final = ("opentelemetry.instrumentation.botocore", "BotocoreInstrumentor")

# ADOT's Python layer brings wrapt 1, where the base class of all wrappers has the other name.
_PROXY: Final[type] = getattr(wrapt, "BaseObjectProxy", wrapt.ObjectProxy)


def instrument_clients() -> None:
    """Instrument httpx and botocore, now or when they are imported; once a process."""
    wrapt.register_post_import_hook(_instrument_httpx, "httpx")
    wrapt.register_post_import_hook(_instrument_botocore, "botocore.client")


def _instrument_httpx(module: ModuleType) -> None:
    _wrap(module.AsyncHTTPTransport, "handle_async_request", _send_async, _HTTPX)
    _wrap(module.HTTPTransport, "handle_request", _send, _HTTPX)


def _instrument_botocore(module: ModuleType) -> None:
    _wrap(module.BaseClient, "_make_api_call", _call_aws, _BOTOCORE)


def _wrap(owner: type, name: str, traced: _Method, instrumentor: tuple[str, str]) -> None:
    if isinstance(getattr(owner, name), _PROXY):
        return  # wrapped already, here or by OpenTelemetry's own instrumentation
    enabled = lambda: not _is_active(instrumentor)  # noqa: E731
    wrapt.wrap_object(owner, name, wrapt.FunctionWrapper, (traced, enabled))


def _is_active(instrumentor: tuple[str, str]) -> bool:
    """Return whether OpenTelemetry's own instrumentation has been activated in the meantime."""
    module, name = instrumentor
    known = getattr(sys.modules.get(module), name, None)
    return known is not None and bool(known().is_instrumented_by_opentelemetry)


async def _send_async(send: _Method, _transport: Any, sent: tuple[Any], named: Any) -> Any:
    with _http_span(*sent, **named) as span:
        response = await send(*sent, **named)
        _add_status(span, response)
        return response


def _send(send: _Method, _transport: Any, sent: tuple[Any], named: Any) -> Any:
    with _http_span(*sent, **named) as span:
        response = send(*sent, **named)
        _add_status(span, response)
        return response


def _call_aws(call: _Method, client: Any, called: tuple[str, Any], named: Any) -> Any:
    service = str(client.meta.service_model.service_id)
    method = f"{service}/{called[0]}"
    attributes: dict[str, str | int] = {
        "rpc.system.name": "aws-api",
        "rpc.method": method,
        # Older names, by which X-Ray's exporter recognises a call to an AWS service.
        "rpc.system": "aws-api",
        "rpc.service": service,
        "cloud.region": str(client.meta.region_name or ""),
    }
    with _client_span(method, attributes) as span:
        answer = call(*called, **named)
        _add_metadata(span, answer)
        return answer


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
