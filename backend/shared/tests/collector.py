"""Loopback collectors of spans: working ones, which record the spans, and faulty ones."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from google.protobuf import json_format  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest as _Request,
)

from shared.tests.servers import unused_port


@dataclass
class Received:
    """One span, flattened."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    status: str


@dataclass
class Collector:
    """The spans that a collector received, and its URL."""

    url: str
    posts: list[str] = field(default_factory=list)
    spans: list[Received] = field(default_factory=list)
    content_types: set[str] = field(default_factory=set)


def decode_json(body: bytes) -> list[Received]:
    """Return the spans of an `ExportTraceServiceRequest` in JSON."""
    return _received(json_format.ParseDict(_with_base64_ids(json.loads(body)), _Request()))


def decode(body: bytes) -> list[Received]:
    """Return the spans of an `ExportTraceServiceRequest` in protobuf."""
    return _received(_Request.FromString(body))


def _with_base64_ids(value: Any) -> Any:
    # `json_format` reads bytes as base64, and so would read OTLP's hexadecimal ids wrongly.
    if isinstance(value, list):
        return [_with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(item)).decode()
        if key in {"traceId", "spanId", "parentSpanId"}
        else _with_base64_ids(item)
        for key, item in value.items()
    }


def _received(request: Any) -> list[Received]:
    return [
        Received(
            span.name,
            type(span).SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            _values(span.attributes),
            _values(group.resource.attributes),
            type(span.status).StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
        )
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _values(attributes: Any) -> dict[str, Any]:
    return {
        pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in attributes
    }


@contextmanager
def http_collector(status: int | None = 200, *, delay_seconds: float = 0) -> Iterator[Collector]:
    """Serve OTLP over HTTP; a status of None accepts requests and never answers."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.posts.append(self.path)
            if status is None:
                ended.wait(60)
                return
            ended.wait(delay_seconds)
            if status == 200:
                content_type = self.headers["content-type"]
                collector.content_types.add(content_type)
                is_json = content_type == "application/json"
                collector.spans += decode_json(body) if is_json else decode(body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield collector
    finally:
        ended.set()
        server.shutdown()
        server.server_close()


FAULTS: Final = ("down", "refuses", "hangs", "slow", "errors")
"""How a collector fails: its machine does not respond (`down`), its port is closed (`refuses`), it
accepts a request and never answers (`hangs`), answers after 5 s (`slow`) or with 503 (`errors`)."""


@contextmanager
def faulty_collector(fault: str) -> Iterator[str]:
    """The URL of a collector with that fault."""
    if fault == "down":
        with _unreachable() as url:
            yield url
    elif fault == "refuses":
        yield f"http://127.0.0.1:{unused_port()}"
    else:
        status = {"hangs": None, "slow": 200, "errors": 503}[fault]
        with http_collector(status, delay_seconds=5 if fault == "slow" else 0) as collector:
            yield collector.url


@contextmanager
def _unreachable() -> Iterator[str]:
    # If a listener's queue is full, the kernel answers no further connection.
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def udp_daemon() -> Iterator[socket.socket]:
    """Listen where the X-Ray daemon would."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(20)
        yield listening
