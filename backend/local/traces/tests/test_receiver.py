"""Spans arrive over gRPC, HTTP and UDP, from OpenTelemetry's exporters, from ours and from X-Ray's
SDK. A receiver with a delay stores only the exports whose client waits for the answer.
"""

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
    OTLPSpanExporter as GrpcExporter,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
    OTLPSpanExporter as HttpExporter,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from local.traces.receiver import LAYER_SECONDS, OtlpReceiver
from local.traces.store import TraceStore
from shared.telemetry.export.otlp_http import OtlpHttpExporter
from shared.telemetry.export.xray_daemon import XRayDaemonExporter

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store() -> AsyncIterator[TraceStore]:
    made = TraceStore()
    yield made
    made.close()


@pytest.fixture
async def receiver(store: TraceStore) -> AsyncIterator[OtlpReceiver]:
    made = OtlpReceiver(store)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def spans() -> list[ReadableSpan]:
    return make_spans()


def make_spans() -> list[ReadableSpan]:
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "api"}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("tests")
    attributes: dict[str, Any] = {"http.route": "/x", "numbers": [1, 2], "ratio": 0.5, "yes": True}
    with (
        tracer.start_as_current_span("parent", kind=SpanKind.SERVER, attributes=attributes),
        tracer.start_as_current_span("child") as child,
    ):
        child.add_event("happened", {"what": "this"})
        child.set_status(Status(StatusCode.ERROR))
    return list(kept.get_finished_spans())


async def _export(exporter: Any, spans: list[ReadableSpan]) -> bool:
    """Send spans; returns whether they arrived."""
    try:
        result = await asyncio.to_thread(exporter.export, spans)
    finally:
        await asyncio.to_thread(exporter.shutdown)
    return result is SpanExportResult.SUCCESS


async def _until(store: TraceStore, trace_id: str, count: int) -> None:
    async with asyncio.timeout(10):
        while len(store.trace(trace_id)) < count:
            await asyncio.sleep(0.005)


def _trace_id(spans: list[ReadableSpan]) -> str:
    assert spans[0].context is not None
    return f"{spans[0].context.trace_id:032x}"


def _exporter(protocol: str, receiver: OtlpReceiver, timeout: float = 10) -> Any:
    if protocol == "grpc":
        return GrpcExporter(endpoint=receiver.grpc_url, insecure=True, timeout=timeout)
    if protocol == "http":
        return HttpExporter(endpoint=f"{receiver.http_url}/v1/traces", timeout=timeout)
    if protocol == "ours":
        return OtlpHttpExporter(f"{receiver.http_url}/v1/traces", timeout)
    host, port = receiver.udp_url.removeprefix("udp://").split(":")
    return XRayDaemonExporter(host, int(port))


@pytest.mark.parametrize("protocol", ["grpc", "http", "ours", "udp"])
async def test_spans_arrive_complete_by_every_protocol(
    protocol: str,
    receiver: OtlpReceiver,
    store: TraceStore,
    spans: list[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_XRAY_DAEMON_ADDRESS", raising=False)
    result = await _export(_exporter(protocol, receiver), spans)
    assert result
    await _until(store, _trace_id(spans), 2)
    parent, child = store.trace(_trace_id(spans))
    assert (parent.name, parent.service, parent.kind, parent.scope) == (
        "parent",
        "api",
        "SERVER",
        "tests",
    )
    assert parent.attributes == {"http.route": "/x", "numbers": [1, 2], "ratio": 0.5, "yes": True}
    assert (child.parent_id, child.status) == (parent.span_id, "ERROR")
    assert child.events[0]["name"] == "happened"
    assert child.events[0]["attributes"] == {"what": "this"}
    assert parent.start_ns <= child.start_ns <= child.end_ns <= parent.end_ns


@pytest.mark.parametrize("protocol", ["grpc", "http", "ours"])
async def test_a_receiver_with_a_delay_answers_after_it(
    protocol: str, receiver: OtlpReceiver, store: TraceStore, spans: list[ReadableSpan]
) -> None:
    receiver.delay_seconds = LAYER_SECONDS
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await _export(_exporter(protocol, receiver), spans)
    assert loop.time() - began >= LAYER_SECONDS
    assert len(store.trace(_trace_id(spans))) == 2


@pytest.mark.parametrize("protocol", ["grpc", "ours"])
async def test_a_receiver_with_a_delay_drops_an_export_whose_client_has_left(
    protocol: str, receiver: OtlpReceiver, store: TraceStore, spans: list[ReadableSpan]
) -> None:
    receiver.delay_seconds = 0.3
    assert not await _export(_exporter(protocol, receiver, 0.1), spans)
    later = make_spans()
    assert await _export(_exporter(protocol, receiver), later)
    # The first spans would have been stored before these.
    assert len(store.trace(_trace_id(later))) == 2
    assert store.trace(_trace_id(spans)) == []


async def test_a_small_request_that_decompresses_to_much_is_refused(
    receiver: OtlpReceiver,
) -> None:
    bomb = gzip.compress(b'{"resourceSpans": [' + b"[" * 700 + b" " * 64_000_000)
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    async with httpx.AsyncClient(trust_env=False) as client:
        refused = await client.post(f"{receiver.http_url}/v1/traces", content=bomb, headers=headers)
    assert (refused.status_code, refused.text) == (400, "the gzip body is incomplete or too long")


async def test_invalid_requests_are_refused_and_the_receiver_keeps_running(
    receiver: OtlpReceiver, store: TraceStore, spans: list[ReadableSpan]
) -> None:
    url = f"{receiver.http_url}/v1/traces"
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(url)).status_code == 405
        assert (await client.post(url, content=b"\xff\xff")).status_code == 400
        zipped = {"content-encoding": "gzip"}
        assert (await client.post(url, content=b"no gzip", headers=zipped)).status_code == 400
        as_json = {"content-type": "application/json"}
        for wrong in (
            b"",
            b"null",
            b"not json",
            b"[" * 100_000,
            b'{"resourceSpans": 5}',
            b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "no hex"}]}]}]}',
        ):
            refused = await client.post(url, content=wrong, headers=as_json)
            assert refused.status_code == 400, wrong
        taken = await client.post(url, content=b"{}", headers=as_json)
        assert (taken.status_code, taken.json()) == (200, {})
        assert (await client.get(f"{receiver.http_url}/nothing")).status_code == 404
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        host, port = receiver.udp_url.removeprefix("udp://").split(":")
        for datagram in (b"", b"x", b'{"format":"json","version":1}\n{', b"\n\n\xff"):
            sending.sendto(datagram, (host, int(port)))
        header = b'{"format": "json", "version": 1}\n'
        sending.sendto(header + b"T1Snot base64", (host, int(port)))
        sending.sendto(header + b'{"id": "1"}', (host, int(port)))
    assert await _export(_exporter("udp", receiver), spans)
    await _until(store, _trace_id(spans), 2)


async def test_segments_of_the_xray_sdk_are_spans(
    receiver: OtlpReceiver, store: TraceStore
) -> None:
    segment = {
        "name": "api",
        "id": "a" * 16,
        "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        "start_time": 1000.25,
        "end_time": 1001.5,
        "fault": True,
        "subsegments": [
            {
                "name": "S3",
                "id": "b" * 16,
                "start_time": 1000.5,
                "end_time": 1001.0,
                "namespace": "aws",
                "aws": {"operation": "GetObject"},
            },
            {"name": "unfinished", "id": "c" * 16, "start_time": 1000.5, "in_progress": True},
        ],
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        host, port = receiver.udp_url.removeprefix("udp://").split(":")
        document = b'{"format": "json", "version": 1}\n' + json.dumps(segment).encode()
        sending.sendto(document, (host, int(port)))
    await _until(store, segment["trace_id"], 2)  # type: ignore[arg-type]
    root, call = store.trace("5759e988bd862e3fe1be46a994272793")
    assert (root.kind, root.status, root.duration_ms) == ("SERVER", "ERROR", 1250.0)
    assert (call.kind, call.parent_id, call.service) == ("CLIENT", root.span_id, "api")
    assert call.attributes["aws.operation"] == "GetObject"
