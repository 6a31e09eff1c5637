"""Receives spans as a collector does: OTLP over gRPC and HTTP, and the X-Ray daemon's datagrams."""

import asyncio
import base64
import json
import logging
import socket
import zlib
from collections.abc import Iterable
from typing import Any

import grpc.aio  # type: ignore[import-untyped]
from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from local.net.serving import (
    BodyTooLongError,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    Server,
    read_body,
    respond,
    wait_until_gone,
)
from local.net.sockets import HOST
from local.traces.api import TracesApi
from local.traces.spans import Span, from_otlp, from_segment
from local.traces.store import TraceStore

LAYER_SECONDS = 0.13
"""The time that the ADOT layer's collector needs for an export: it waits for X-Ray's answer."""

_BODY_LIMIT = 4 * 1024 * 1024
"""Of a request, and of what it decompresses to; gRPC has the same limit. Decoding takes some thirty
times as much memory."""

_HEADER = b'{"format":"json","version":1}'
_ID_FIELDS = frozenset({"traceId", "spanId", "parentSpanId"})
_OTLP_SAMPLED, _OTLP_UNSAMPLED = b"T1S", b"T1U"

_log = logging.getLogger(__name__)


class OtlpReceiver:
    """Stores the spans that it receives.

    With `delay_seconds` it behaves like the collector of the ADOT layer: it stores and answers an
    export that much later. If the client disconnects before that, the spans are lost.
    """

    def __init__(self, store: TraceStore, *, delay_seconds: float = 0.0) -> None:
        self.delay_seconds = delay_seconds
        self._store = store
        self._traces = TracesApi(store)
        # Take all ports now: the services are configured with them before `start` is called.
        self._http = Server(self._application)
        self._grpc: grpc.aio.Server = grpc.aio.server()
        self._grpc_port: int = self._grpc.add_insecure_port(f"{HOST}:0")
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.bind((HOST, 0))
        self._udp: asyncio.DatagramTransport | None = None

    @property
    def http_url(self) -> str:
        return self._http.url

    @property
    def grpc_url(self) -> str:
        return f"http://{HOST}:{self._grpc_port}"

    @property
    def udp_url(self) -> str:
        return f"udp://{HOST}:{self._datagrams.getsockname()[1]}"

    async def start(self) -> None:
        await self._http.start()
        servicer: Any = _TraceService(self)
        register: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
        register(servicer, self._grpc)
        await self._grpc.start()
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Daemon(self._store), sock=self._datagrams
        )

    async def stop(self) -> None:
        if self._udp is not None:
            self._udp.close()
        self._datagrams.close()
        await self._grpc.stop(grace=0.2)
        await self._http.stop()

    async def take(self, request: ExportTraceServiceRequest) -> None:
        """Store the spans of a request after the delay. A cancelled call stores none."""
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        self._store.add(from_otlp(request))

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/v1/traces":
            await self._traces(scope, receive, send)
            return
        if scope["method"] != "POST":
            await respond(send, 405, [("allow", "POST")])
            return
        try:
            body = await read_body(receive, limit_bytes=_BODY_LIMIT)
            headers = dict(scope["headers"])
            is_json = headers.get(b"content-type", b"").startswith(b"application/json")
            if headers.get(b"content-encoding") == b"gzip":
                body = _unzipped(body)
            request = _parsed_json(body) if is_json else _parsed(body)
        except ClientGoneError:
            return
        except BodyTooLongError:
            await respond(send, 413, [])
            return
        except (DecodeError, ValueError, json_format.Error, RecursionError, zlib.error) as error:
            await respond(send, 400, [("content-type", "text/plain")], str(error).encode())
            return
        storing = asyncio.create_task(self.take(request))
        disconnect = asyncio.create_task(wait_until_gone(receive))
        await asyncio.wait((storing, disconnect), return_when=asyncio.FIRST_COMPLETED)
        disconnect.cancel()
        if not storing.done():
            storing.cancel()
            return
        storing.result()
        content_type = "application/json" if is_json else "application/x-protobuf"
        answer = b"{}" if is_json else ExportTraceServiceResponse().SerializeToString()
        await respond(send, 200, [("content-type", content_type)], answer)


class _TraceService(trace_service_pb2_grpc.TraceServiceServicer):
    """Passes the spans of OTLP over gRPC to the receiver."""

    def __init__(self, receiver: OtlpReceiver) -> None:
        self._receiver = receiver

    async def Export(  # noqa: N802 - the service's own name for it
        self, request: ExportTraceServiceRequest, _context: object
    ) -> ExportTraceServiceResponse:
        # gRPC cancels this call when the client disconnects.
        await self._receiver.take(request)
        return ExportTraceServiceResponse()


class _Daemon(asyncio.DatagramProtocol):
    """Stores what the X-Ray daemon receives: a JSON header line, then a segment or base64 OTLP."""

    def __init__(self, store: TraceStore) -> None:
        self._store = store

    def datagram_received(self, data: bytes, _addr: object) -> None:
        try:
            self._store.add(_spans_of_datagram(data))
        except (ValueError, DecodeError) as error:
            _log.warning("dropped a datagram, as the X-Ray daemon would: %s", error)


def _spans_of_datagram(data: bytes) -> Iterable[Span]:
    header, _, body = data.partition(b"\n")
    if header.replace(b" ", b"") != _HEADER:
        raise ValueError(f"the first line is not the X-Ray daemon's header: {header[:100]!r}")
    if body.startswith(_OTLP_UNSAMPLED):
        return ()
    if body.startswith(_OTLP_SAMPLED):
        otlp = base64.b64decode(body[len(_OTLP_SAMPLED) :], validate=True)
        return list(from_otlp(_parsed(otlp)))
    return list(from_segment(body))


def _unzipped(body: bytes) -> bytes:
    unzip = zlib.decompressobj(wbits=31)  # the gzip format
    unzipped = unzip.decompress(body, _BODY_LIMIT)
    if not unzip.eof:
        raise ValueError("the gzip body is incomplete or too long")
    return unzipped


def _parsed(body: bytes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    return request


def _parsed_json(body: bytes) -> ExportTraceServiceRequest:
    text = json.dumps(_with_base64_ids(json.loads(body)))
    request = ExportTraceServiceRequest()
    json_format.Parse(text, request, ignore_unknown_fields=True)
    return request


def _with_base64_ids(value: Any) -> Any:
    """Convert OTLP's hexadecimal ids to base64: `json_format` reads every id as base64."""
    if isinstance(value, list):
        return [_with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64encode(bytes.fromhex(item)).decode()
        if name in _ID_FIELDS and isinstance(item, str)
        else _with_base64_ids(item)
        for name, item in value.items()
    }
