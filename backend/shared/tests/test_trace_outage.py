"""Five thousand requests during an outage of the collector: all are answered, memory stays flat."""

import pytest

from shared.tests.collector import FAULTS, faulty_collector
from shared.tests.programs import run

_SETUP = """
import asyncio, gc, io, os, sys
from shared import tracing
from shared.app import create_service_app
from shared.logging import configure_logging
from shared.settings import FullServiceSettings

settings = FullServiceSettings(
    project_name="fin-advisor", environment="dev", service_name="api", log_level="WARNING",
    api_gateway_url="http://127.0.0.1:9/dev",
)
app = create_service_app(settings, title="T", description="D")
lines = io.BytesIO()
configure_logging("WARNING", stream=lines)
"""
_FUNCTION = """
from shared.aws_lambda.entry import lambda_handler
from shared.testing import FakeKeys, LambdaContext, api_gateway_event

handler = lambda_handler(app, settings, keys=FakeKeys())
event, context = api_gateway_event("GET", "/api/health"), LambdaContext(3000)

def ask():
    return handler(event, context)["statusCode"]
"""
_SERVER = """
from shared.testing import app_client

loop, client = asyncio.new_event_loop(), app_client(app)

def ask():
    return loop.run_until_complete(client.get("/health")).status_code
"""
_REQUESTS = """
def with_all_spans_waiting():
    for _ in range(2_048):
        tracing.get_tracer().start_span("waits for the collector").end()
    gc.collect()
    return sys.getallocatedblocks()

for number in range(5_000):
    assert ask() == 200
    if number == 2_000:
        before = with_all_spans_waiting()
failed = lines.getvalue().count(b"tracing_export_failed")
print(with_all_spans_waiting() - before, failed, flush=True)
os._exit(0)
"""
_REQUESTS_SINCE = 3_000
_BATCH = 512
_OBJECTS_OF_A_SPAN = 30
_OBJECTS_OF_A_SPAN_BEING_SENT = 100  # the span, and what the encoder builds of it
_LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "fin-advisor-dev-api",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_outage_costs_neither_memory_nor_more_than_a_few_attempts(fault: str) -> None:
    with faulty_collector(fault) as url:
        grown, attempts = _run(_FUNCTION, url, _LAMBDA)
    assert grown < _REQUESTS_SINCE, "not one object a request"
    # Each failure doubles the pause, so that few of the requests wait for the collector at all.
    assert 1 <= attempts < 20


@pytest.mark.parametrize(("fault", "protocol"), [("refuses", "grpc"), ("hangs", "http/json")])
def test_memory_of_a_server_stays_bounded_in_an_outage(fault: str, protocol: str) -> None:
    with faulty_collector(fault) as url:
        grown, _ = _run(_SERVER, url, {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
    # The exporter's thread may hold a batch at the second count and none at the first. A queue
    # without a limit would have grown by the spans of all requests.
    assert grown < _BATCH * _OBJECTS_OF_A_SPAN_BEING_SENT < _REQUESTS_SINCE * _OBJECTS_OF_A_SPAN


def _run(subject: str, url: str, environment: dict[str, str]) -> tuple[int, int]:
    """Return by how much the count of objects grew in 3,000 requests, and the failed exports."""
    environment = {"ENABLE_TRACING": "true", "OTLP_ENDPOINT": url, **environment}
    [line] = run(_SETUP + subject + _REQUESTS, **environment)
    grown, attempts = map(int, line.split())
    return grown, attempts
