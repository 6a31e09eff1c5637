"""A call by httpx or botocore makes one span, also where a wrapper has instrumented them before.

The callee continues the trace. Each test runs in a new process, because the tracer provider and the
patches apply to a whole process.
"""

import json
import os
import textwrap
from typing import Any

import pytest

from shared.tests.programs import run
from shared.tests.servers import FrontOfAws

_SETUP = """
import asyncio, json, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shared import tracing

exporter, SEEN = InMemorySpanExporter(), []

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        SEEN.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
URL = f"http://127.0.0.1:{server.server_port}"

def configure():
    tracing.configure_tracing("api", "dev", "http://127.0.0.1:9", exporter=exporter)

def report():
    tracing.flush()
    server.shutdown()
    server.server_close()
    spans = [json.loads(span.to_json()) for span in exporter.get_finished_spans()]
    print(json.dumps({"spans": spans, "seen": SEEN, "url": URL}))
"""


def _run(code: str, **environment: str) -> dict[str, Any]:
    # On Lambda, spans are kept until the flush, in order.
    environment = {"AWS_LAMBDA_FUNCTION_NAME": "f", **environment}
    *_, reported = run(_SETUP + textwrap.dedent(code) + "\nreport()", **environment)
    return dict(json.loads(reported))


def _failures(reported: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Each span's status, error type and number of events, which would quote the error's text."""
    return [
        (span["status"], span["attributes"].get("error.type"), len(span["events"]))
        for span in reported["spans"]
    ]


def _kinds(reported: dict[str, Any]) -> list[str]:
    return [span["kind"].removeprefix("SpanKind.") for span in reported["spans"]]


_BEFORE = "import httpx\nconfigure()\n"
_AFTER = "configure()\nimport httpx\n"
_ASYNC = """
async def go():
    async with httpx.AsyncClient() as client:
        await client.get(URL + "/things/7?token=hunter2", headers={"x-api-key": "hunter2"})
with tracing.span("around"):
    asyncio.run(go())
"""
_SYNC = """
with tracing.span("around"), httpx.Client() as client:
    client.get(URL + "/things/7?token=hunter2", headers={"x-api-key": "hunter2"})
"""
_FAILING = """
with httpx.Client() as client:
    client.get(URL + "/missing")
    try:
        client.get("http://127.0.0.1:1/")
    except httpx.ConnectError:
        pass
"""


@pytest.mark.parametrize("order", [_BEFORE, _AFTER], ids=["imported", "imported later"])
@pytest.mark.parametrize("call", [_ASYNC, _SYNC], ids=["async", "sync"])
def test_a_call_is_one_client_span_which_the_callee_continues(order: str, call: str) -> None:
    reported = _run(order + call)
    client, around = reported["spans"]
    trace_id, span_id = (client["context"][name][2:] for name in ("trace_id", "span_id"))
    assert (client["name"], client["parent_id"]) == ("GET", around["context"]["span_id"])
    assert _kinds(reported) == ["CLIENT", "INTERNAL"]
    assert client["attributes"]["url.full"] == f"{reported['url']}/things/7"
    assert client["attributes"]["http.response.status_code"] == 200
    assert client["attributes"]["server.address"] == "127.0.0.1"
    [headers] = reported["seen"]
    assert headers["traceparent"] == f"00-{trace_id}-{span_id}-01"
    xray = f"Root=1-{trace_id[:8]}-{trace_id[8:]};Parent={span_id};Sampled=1"
    assert headers["x-amzn-trace-id"] == xray
    assert "hunter2" not in json.dumps(reported["spans"])


def test_an_error_keeps_its_kind_and_not_its_text() -> None:
    assert _failures(_run(_AFTER + _FAILING)) == [
        ({"status_code": "ERROR"}, "404", 0),
        ({"status_code": "ERROR"}, "ConnectError", 0),
    ]


@pytest.mark.parametrize("when", ["before", "after"])
def test_with_opentelemetrys_own_instrumentation_there_is_still_one_span(when: str) -> None:
    own = (
        "from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor\n"
        "HTTPXClientInstrumentor().instrument()\n"
    )
    order = f"import httpx\n{own}configure()\n" if when == "before" else f"{_BEFORE}{own}"
    reported = _run(order + _ASYNC)
    assert _kinds(reported) == ["CLIENT", "INTERNAL"]
    assert len(reported["seen"][0]["traceparent"].split(",")) == 1


def test_configuring_twice_does_not_double_a_span() -> None:
    reported = _run(
        _BEFORE + "configure()\ntracing._state = tracing._State()\nconfigure()\n" + _ASYNC
    )
    assert _kinds(reported) == ["CLIENT", "INTERNAL"]


_AWS = """
configure()
import boto3
client = boto3.client("secretsmanager", region_name="us-east-1")
with tracing.span("around"):
    client.create_secret(Name="{name}", SecretString="hunter2")
    try:
        client.get_secret_value(SecretId="{name}-missing")
    except client.exceptions.ResourceNotFoundException:
        pass
"""


def test_a_call_to_aws_is_one_span_without_the_values_that_are_sent(
    front: FrontOfAws, request: pytest.FixtureRequest
) -> None:
    environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    reported = _run(_AWS.format(name=request.node.name), **environment)
    created, refused, around = reported["spans"]
    assert created["name"] == "Secrets Manager/CreateSecret"
    assert _kinds(reported) == ["CLIENT", "CLIENT", "INTERNAL"]
    assert created["parent_id"] == around["context"]["span_id"]
    assert created["attributes"]["rpc.system.name"] == "aws-api"
    assert created["attributes"]["rpc.method"] == "Secrets Manager/CreateSecret"
    assert created["attributes"]["cloud.region"] == "us-east-1"
    assert created["attributes"]["http.response.status_code"] == 200
    assert _failures(reported)[1] == ({"status_code": "ERROR"}, "ResourceNotFoundException", 0)
    assert refused["attributes"]["http.response.status_code"] in {400, 404}
    assert "hunter2" not in json.dumps(reported["spans"])


def test_with_opentelemetrys_own_instrumentation_a_call_to_aws_is_still_one_span(
    front: FrontOfAws, request: pytest.FixtureRequest
) -> None:
    own = (
        "from opentelemetry.instrumentation.botocore import BotocoreInstrumentor\n"
        "BotocoreInstrumentor().instrument()\n"
    )
    environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    reported = _run(own + _AWS.format(name=f"{request.node.name}-own"), **environment)
    assert _kinds(reported) == ["CLIENT", "CLIENT", "INTERNAL"]


def test_what_is_instrumented_loads_only_when_it_is_used() -> None:
    reported = _run(
        "import sys\nconfigure()\n"
        "heavy = {'httpx', 'botocore', 'google.protobuf', 'requests'}\n"
        "assert not heavy & set(sys.modules)\n"
        "assert not [m for m in sys.modules if m.startswith('opentelemetry.instrumentation')]\n"
    )
    assert reported["spans"] == []
