"""A request is one span, in the right trace, and is answered even if the collector fails.

Each test runs a new process, because a process has one tracer provider.
"""

import base64
import json
import re
import textwrap
import threading
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracerProvider

from shared import tracing
from shared.tests.collector import Collector, Received, decode, http_collector, udp_daemon
from shared.tests.programs import run

_ROOT = "1-5759e988-bd862e3fe1be46a994272793"
_TRACE = "5759e988bd862e3fe1be46a994272793"
_PARENT = "53995c3f42cd8ad8"

_SETUP = """
import asyncio, io, json, os, sys, time
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from shared import tracing
from shared.app import create_service_app
from shared.aws_lambda.entry import lambda_handler
from shared.settings import FullServiceSettings
from shared.testing import FakeKeys, LambdaContext, api_gateway_event, app_client

settings = FullServiceSettings(
    project_name="fin-advisor", environment="dev", service_name="api", log_level="WARNING",
    api_gateway_url="http://127.0.0.1:9/dev", enable_service_api_keys=False,
)
router = APIRouter()

@router.get("/things/{thing_id}", summary="A thing")
async def thing(thing_id: str) -> str:
    await asyncio.sleep(0)
    with tracing.get_tracer("test").start_as_current_span(f"inner {thing_id}"):
        await asyncio.sleep(0.001)
    return thing_id

@router.get("/stream", summary="A stream that breaks off")
async def stream() -> StreamingResponse:
    async def pieces():
        yield b"one"
        raise RuntimeError("broken")
    return StreamingResponse(pieces())

app = create_service_app(settings, title="T", description="D", routers=[router])

def invoke(*xrays, path="/api/things/7"):
    handler = lambda_handler(app, settings, keys=FakeKeys())
    statuses = []
    for xray in xrays:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
        if xray:
            os.environ["_X_AMZN_TRACE_ID"] = xray
        statuses.append(handler(api_gateway_event("GET", path), LambdaContext())["statusCode"])
    handler.close()
    return statuses

async def ask(*headers, path="/things/7", status=200):
    async with app_client(app) as client:
        assert {(await client.get(path, headers=one)).status_code for one in headers} == {status}
"""
_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "fin-advisor-dev-api", "AWS_REGION": "us-east-1"}


def _run(code: str, endpoint: str, *, before: str = "", **environment: str) -> list[str]:
    """Run code after the set-up; returns the lines that it printed, without the metrics."""
    environment = {"ENABLE_TRACING": "true", "OTLP_ENDPOINT": endpoint, **environment}
    printed = run(f"{before}\n{_SETUP}\n{textwrap.dedent(code)}", **environment)
    return [line for line in printed if '"event":"metrics"' not in line]


def _trace(code: str, **more: str) -> tuple[list[str], Collector]:
    """Run code after the set-up; returns the lines that it printed, and what was exported."""
    with http_collector() as collector:
        return _run(code, collector.url, **more), collector


def _of_requests(spans: list[Received]) -> list[Received]:
    return [span for span in spans if "http.request.method" in span.attributes]


def _outcomes(collector: Collector) -> list[tuple[Any, ...]]:
    wanted = ("error.type", "http.response.status_code")
    return [
        (span.name, span.status, *map(span.attributes.get, wanted))
        for span in _of_requests(collector.spans)
    ]


@pytest.mark.parametrize(
    ("protocol", "content_type"),
    [("", "application/json"), ("http/protobuf", "application/x-protobuf")],
)
def test_a_server_exports_one_server_span_a_request_under_its_route(
    protocol: str, content_type: str
) -> None:
    traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
    xray = f"Root={_ROOT};Parent={_PARENT};Sampled=1"
    code = f"""
    from shared.logging import configure_logging
    configure_logging("INFO", service_name="api", environment="dev")
    headers = [
        {{"traceparent": {traceparent!r}}},
        {{"traceparent": {traceparent!r}, "x-amzn-trace-id": {xray!r}}},
    ]
    asyncio.run(ask(*headers))
    """
    variables = {"OTEL_RESOURCE_ATTRIBUTES": "team=a%20b,broken"}
    printed, collector = _trace(code, OTEL_EXPORTER_OTLP_PROTOCOL=protocol, **variables)
    assert "broken" in json.loads(printed[0])["event"]
    assert set(collector.posts) == {"/v1/traces"}
    assert collector.content_types == {content_type}
    first, second = _of_requests(collector.spans)
    assert (first.name, first.kind) == ("GET /things/{thing_id}", "SERVER")
    assert (first.trace_id, first.parent_id) == ("a" * 32, "b" * 16)
    assert (second.trace_id, second.parent_id) == (_TRACE, _PARENT), "X-Ray's header wins"
    assert first.attributes["http.response.status_code"] == 200
    assert first.attributes["http.route"] == "/things/{thing_id}"
    inner = [span for span in collector.spans if span.name == "inner 7"]
    assert [span.parent_id for span in inner] == [first.span_id, second.span_id]
    assert len(collector.spans) == 4, "and no other"
    logged = [json.loads(line) for line in printed if '"path"' in line]
    assert {(line["trace_id"], line["span_id"], line["xray_trace_id"]) for line in logged} == {
        (span.trace_id, span.span_id, f"1-{span.trace_id[:8]}-{span.trace_id[8:]}")
        for span in (first, second)
    }
    resource = first.resource
    assert resource["service.name"] == "api"
    assert resource["deployment.environment.name"] == "dev"
    assert resource["team"] == "a b"
    assert "broken" not in resource


def test_a_function_continues_the_runtimes_trace_with_one_internal_span() -> None:
    code = f"""
    print(invoke("Root={_ROOT};Parent={_PARENT};Sampled=1", "Root={_ROOT}"))
    """
    printed, collector = _trace(code, **_LAMBDA)
    assert printed == ["[200, 200]"]
    with_parent, root_only = _of_requests(collector.spans)
    assert (with_parent.name, with_parent.kind) == ("GET /things/{thing_id}", "INTERNAL")
    assert (with_parent.trace_id, with_parent.parent_id) == (_TRACE, _PARENT)
    assert (root_only.trace_id, root_only.parent_id) == (_TRACE, ""), "keeps the trace id"
    assert with_parent.resource["faas.name"] == "fin-advisor-dev-api"
    assert with_parent.resource["cloud.platform"] == "aws_lambda"
    assert len(collector.posts) >= 2, "flushed before each environment freezes"


@pytest.mark.parametrize("fields", [f"Parent={_PARENT};Sampled=0", "Sampled=0"])
@pytest.mark.parametrize(
    ("sampler", "exported"),
    [
        ("parentbased_always_on", set()),
        ("always_on", {"cold start", "inner 7", "GET /things/{thing_id}", "step"}),
    ],
)
def test_what_xray_does_not_sample_is_exported_only_if_a_sampler_records_it(
    fields: str, sampler: str, exported: set[str]
) -> None:
    code = f"""
    async def work(event):
        with tracing.span("step"):
            return {{}}
    os.environ["_X_AMZN_TRACE_ID"] = "Root={_ROOT};{fields}"
    handler = lambda_handler(app, settings, keys=FakeKeys(), tasks={{"work": work}})
    for event in (api_gateway_event("GET", "/api/things/7"), {{"task": "work"}}):
        handler(event, LambdaContext())
    handler.close()
    """
    _, collector = _trace(code, OTEL_TRACES_SAMPLER=sampler, **_LAMBDA)
    assert {span.name for span in collector.spans} == exported
    assert len(collector.posts) == (2 if exported else 0), "one export an invocation"
    code = f"asyncio.run(ask({{'x-amzn-trace-id': 'Root={_ROOT};{fields}'}}))"
    _, collector = _trace(code, OTEL_TRACES_SAMPLER=sampler)
    assert {span.name for span in collector.spans} == exported - {"cold start", "step"}


def test_the_decision_and_the_trace_travel_to_the_next_service() -> None:
    code = f"""
    import httpx
    from shared.api_client import ServiceAPIClient
    sent = []
    def answer(request):
        sent.append(request.headers)
        return httpx.Response(200)
    async def call():
        client = ServiceAPIClient(
            settings=settings, keys=FakeKeys(), transport=httpx.MockTransport(answer))
        async with client:
            await client.get("/chat/x")
    app.add_api_route("/call", call)
    invoke(*(f"Root={_ROOT};Parent={_PARENT};Sampled={{n}}" for n in (1, 0)), path="/api/call")
    for headers in sent:
        for name in ("x-amzn-trace-id", "traceparent"):
            (value,) = headers.get_list(name)
            print(value)
    """
    (xray, w3c, unsampled, w3c_unsampled), _ = _trace(code, **_LAMBDA)
    assert re.fullmatch(f"Root={_ROOT};Parent=[0-9a-f]{{16}};Sampled=1", xray)
    assert re.fullmatch(f"00-{_TRACE}-[0-9a-f]{{16}}-01", w3c)
    assert re.fullmatch(f"Root={_ROOT};Parent=[0-9a-f]{{16}};Sampled=0", unsampled)
    assert re.fullmatch(f"00-{_TRACE}-[0-9a-f]{{16}}-00", w3c_unsampled)


def test_configuring_twice_changes_nothing_and_an_app_is_instrumented_once() -> None:
    code = """
    from opentelemetry import trace
    first = trace.get_tracer_provider()
    for _ in range(3):
        tracing.configure_tracing("other", "prod", "http://127.0.0.1:9")
        tracing.instrument_app(app)
    assert trace.get_tracer_provider() is first
    asyncio.run(ask({}))
    """
    _, collector = _trace(code)
    (span,) = _of_requests(collector.spans)
    assert span.resource["service.name"] == "api"


def test_a_provider_that_is_there_already_is_kept() -> None:
    before = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter = InMemorySpanExporter()
wrapper = TracerProvider()
wrapper.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(wrapper)
"""
    code = """
    assert trace.get_tracer_provider() is wrapper
    with trace.get_tracer("wrapper").start_as_current_span("the wrapper's span of the request"):
        asyncio.run(ask({}))
    print(sorted(span.name for span in exporter.get_finished_spans()))
    asyncio.run(ask({}))
    print([span.name for span in exporter.get_finished_spans()][-1])
    """
    printed, collector = _trace(code, before=before)
    assert printed == [
        "['inner 7', \"the wrapper's span of the request\"]",
        "GET /things/{thing_id}",
    ]
    assert collector.posts == []


def test_a_wrappers_flush_is_not_awaited_for_longer_than_ours_nor_begun_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, ended = [], threading.Event()

    class Wrapper(NoOpTracerProvider):
        def force_flush(self) -> None:
            begun.append(ended.wait(60))

    monkeypatch.setattr(tracing, "_state", tracing._State(Wrapper()))
    for _ in range(2):
        tracing.flush()
    flushing = tracing._state.flushing
    assert flushing is not None
    assert (begun, flushing.is_alive()) == ([], True)
    ended.set()
    flushing.join()
    assert begun == [True]


def test_what_a_wrapper_put_into_the_application_is_removed() -> None:
    before = """
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
FastAPIInstrumentor().instrument()
"""
    code = """
    assert any(one.__module__.startswith("opentelemetry.") for one in type(app).__mro__)
    asyncio.run(ask({}))
    """
    _, collector = _trace(code, before=before)
    assert sorted(span.name for span in collector.spans) == ["GET /things/{thing_id}", "inner 7"]


def test_without_tracing_no_module_of_the_sdk_is_imported() -> None:
    code = """
    print(invoke(None, None))
    loaded = [name for name in sys.modules if name.startswith((
        "opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation",
        "opentelemetry.propagators.aws", "opentelemetry.proto", "google.protobuf", "grpc"))]
    print(loaded, tracing.is_configured())
    """
    printed = _run(code, "http://127.0.0.1:9", ENABLE_TRACING="false", **_LAMBDA)
    assert printed == ["[200, 200]", "[] False"]


def test_concurrent_requests_do_not_mix() -> None:
    code = """
    async def all():
        async with app_client(app) as client:
            await asyncio.gather(*(
                client.get(f"/things/{n}", headers={"traceparent": f"00-{n:032x}-{n:016x}-01"})
                for n in range(1, 51)))
    asyncio.run(all())
    """
    _, collector = _trace(code)
    requests = {span.trace_id: span for span in _of_requests(collector.spans)}
    inner = {span.trace_id: span for span in collector.spans if span.name.startswith("inner")}
    assert len(collector.spans) == 100
    for n in range(1, 51):
        span = requests[f"{n:032x}"]
        assert span.parent_id == f"{n:016x}"
        assert span.attributes["url.path"] == f"/things/{n}"
        assert inner[f"{n:032x}"].parent_id == span.span_id
        assert inner[f"{n:032x}"].name == f"inner {n}"


@pytest.mark.parametrize(
    ("port", "variable", "protocol", "event", "advice"),
    [
        (4317, "", "grpc", "tracing_exporter_missing", "4318"),
        (4318, "grpc", "grpc", "tracing_exporter_missing", "4318"),
        (4318, "http/protobuf", "http/protobuf", "tracing_exporter_missing", "4318"),
        (4318, "http/xml", "http/xml", "tracing_protocol_unknown", "http/json"),
    ],
)
def test_an_exporter_that_is_not_in_the_package_or_unknown_is_one_clear_line(
    port: int, variable: str, protocol: str, event: str, advice: str
) -> None:
    before = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("opentelemetry.exporter.otlp.proto."):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""
    endpoint = f"http://127.0.0.1:{port}"
    environment = {**_LAMBDA, "OTEL_EXPORTER_OTLP_PROTOCOL": variable}
    text, *answered = _run("print(invoke(None, None))", endpoint, before=before, **environment)
    line = json.loads(text)
    assert (line["event"], line["level"], line["otlp_endpoint"]) == (event, "error", endpoint)
    assert (line["protocol"], advice in line["detail"]) == (protocol, True)
    assert answered == ["[200, 200]"]


def test_spans_reach_the_xray_daemon_in_datagrams() -> None:
    with udp_daemon() as daemon:
        port = daemon.getsockname()[1]
        code = f"print(invoke('Root={_ROOT};Parent={_PARENT};Sampled=1'))"
        # Lambda sets this variable, which takes precedence over the endpoint.
        printed = _run(
            code, "udp://127.0.0.1:9", AWS_XRAY_DAEMON_ADDRESS=f"127.0.0.1:{port}", **_LAMBDA
        )
        datagram = daemon.recv(65536)
    assert printed == ["[200]"]
    header, _, content = datagram.partition(b"\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    assert content.startswith(b"T1S")
    spans = decode(base64.b64decode(content[3:]))
    (request,) = _of_requests(spans)
    assert (request.trace_id, request.parent_id) == (_TRACE, _PARENT)


def test_a_request_that_fails_is_an_error_and_one_refused_or_left_by_its_client_is_not() -> None:
    code = """
    from shared.errors import NotFound
    async def broken(): raise RuntimeError("x")
    async def missing(): raise NotFound("No.")
    app.add_api_route("/broken", broken)
    app.add_api_route("/missing", missing)
    asyncio.run(ask({}, path="/broken", status=500))
    asyncio.run(ask({}, path="/missing", status=404))
    try:
        asyncio.run(ask({}, path="/stream"))
    except RuntimeError:
        pass
    from fastapi import Request
    async def upload(request: Request): await request.body()
    app.add_api_route("/upload", upload, methods=["POST"])
    async def leave():
        async def receive(): return {"type": "http.disconnect"}
        async def send(message): raise AssertionError(message)
        await app({"type": "http", "method": "POST", "path": "/upload", "headers": [],
                   "query_string": b"", "raw_path": b"/upload"}, receive, send)
    asyncio.run(leave())
    """
    _, collector = _trace(code)
    assert _outcomes(collector) == [
        ("GET /broken", "ERROR", "RuntimeError", 500),
        ("GET /missing", "UNSET", None, 404),
        ("GET /stream", "ERROR", "RuntimeError", 200),
        ("POST /upload", "UNSET", "ClientDisconnect", None),
    ]


def test_a_functions_span_has_the_status_that_was_sent_and_not_the_applications() -> None:
    code = """
    from fastapi import Response
    async def large(): return Response("x" * 7_000_000, media_type="text/plain")
    async def header(): return Response("x", headers={"x-name": "\\xff"})
    app.add_api_route("/large", large)
    app.add_api_route("/header", header)
    print(*(invoke("", path=f"/api/{name}") for name in ("stream", "large", "header")))
    """
    printed, collector = _trace(code, **_LAMBDA)
    assert [line for line in printed if not line.startswith("{")] == ["[500] [500] [500]"]
    assert _outcomes(collector) == [
        ("GET /stream", "ERROR", "RuntimeError", 500),
        ("GET /large", "ERROR", "500", 500),
        ("GET /header", "ERROR", "UnicodeDecodeError", 500),
    ]


def test_a_function_without_the_entry_gets_its_span_from_the_middleware() -> None:
    code = f"""
    from mangum import Mangum
    asyncio.set_event_loop(asyncio.new_event_loop())
    handler = Mangum(app, lifespan="off")
    headers = {{"x-amzn-trace-id": "Root={_ROOT};Parent={_PARENT};Sampled=1"}}
    print(handler(api_gateway_event("GET", "/things/7", headers=headers), LambdaContext())["body"])
    tracing.flush()
    asyncio.get_event_loop().close()
    """
    printed, collector = _trace(code, **_LAMBDA)
    assert printed == ['"7"']
    (span,) = _of_requests(collector.spans)
    assert (span.name, span.kind) == ("GET /things/{thing_id}", "INTERNAL")
    assert (span.trace_id, span.parent_id) == (_TRACE, _PARENT)


def test_baggage_goes_through_a_function() -> None:
    code = f"""
    from opentelemetry import baggage
    async def carried(): return dict(baggage.get_all())
    app.add_api_route("/carried", carried)
    handler = lambda_handler(app, settings, keys=FakeKeys())
    os.environ["_X_AMZN_TRACE_ID"] = "Root={_ROOT};Parent={_PARENT};Sampled=1"
    for headers in ({{"baggage": "tenant=7"}}, {{}}):
        event = api_gateway_event("GET", "/api/carried", headers=headers)
        print(handler(event, LambdaContext())["body"])
    handler.close()
    """
    printed, collector = _trace(code, **_LAMBDA)
    assert printed == ['{"tenant":"7"}', "{}"]
    assert {span.trace_id for span in collector.spans} == {_TRACE}


def test_log_lines_of_a_function_have_the_ids_of_the_span_in_which_they_are_written() -> None:
    code = f"""
    from shared.logging import configure_logging, get_logger
    async def told():
        get_logger().info("outer")
        with tracing.get_tracer().start_as_current_span("within"):
            get_logger().info("within")
        get_logger().info("outer again")
    app.add_api_route("/told", told)
    configure_logging("INFO", service_name="api", environment="dev")
    invoke("Root={_ROOT};Parent={_PARENT};Sampled=1", "Root={_ROOT}", "", path="/api/told")
    get_logger().info("afterwards")
    """
    printed, collector = _trace(code, **_LAMBDA)
    *lines, afterwards = map(json.loads, printed)
    requests = _of_requests(collector.spans)
    assert [span.trace_id == _TRACE for span in requests] == [True, True, False]
    inner = [span for span in collector.spans if span.name == "within"]
    expected = [
        (request.trace_id, span.span_id)
        for request, within in zip(requests, inner, strict=True)
        for span in (request, request, within, request, request)
    ]
    assert [(line["trace_id"], line["span_id"]) for line in lines] == expected
    assert lines[0]["xray_trace_id"] == f"1-{_TRACE[:8]}-{_TRACE[8:]}"
    assert not {"trace_id", "span_id"} & afterwards.keys()


def test_fastapis_own_telemetry_is_switched_off_in_an_existing_application() -> None:
    code = """
    from fastapi import FastAPI
    own = FastAPI()
    own.get("/own")(lambda: 1)
    tracing.instrument_app(own)
    async def go():
        async with app_client(own) as client:
            await client.get("/own")
    asyncio.run(go())
    """
    _, collector = _trace(code)
    assert [span.name for span in collector.spans] == ["GET /own"], (
        "FastAPI's own telemetry makes spans too. tracing.instrument_app switches it off through "
        "the private attribute FastAPI._telemetry: find what took its place in this version."
    )
