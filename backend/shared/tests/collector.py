"""A loopback collector that keeps the spans it is sent, or misbehaves as it is told."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


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


@dataclass
class Collector:
    """What came, and where to send it."""

    url: str
    posts: list[str] = field(default_factory=list)
    spans: list[Received] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        self.spans += decode(body)


def decode(body: bytes) -> list[Received]:
    """Return the spans of an `ExportTraceServiceRequest`."""
    request = ExportTraceServiceRequest.FromString(body)
    return [
        Received(
            span.name,
            type(span).SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            _values(span.attributes),
            _values(group.resource.attributes),
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
def http_collector(status: int | None = 200) -> Iterator[Collector]:
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
            if status == 200:
                collector.take(body)
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


@contextmanager
def udp_daemon() -> Iterator[socket.socket]:
    """Listen where the X-Ray daemon would."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(20)
        yield listening
