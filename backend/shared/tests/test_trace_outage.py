"""Ten thousand requests while no collector takes a span: all are answered, memory stays flat."""

import os
import subprocess
import sys

import pytest

_CODE = """
import io, os, socket, sys, time
hangs = sys.argv[1] == "hangs"
listener = socket.create_server(("127.0.0.1", 0))  # takes connections, and never answers
port = listener.getsockname()[1]
if not hangs:
    listener.close()
os.environ["OTLP_ENDPOINT"] = f"http://127.0.0.1:{port}"
from shared.app import create_service_app
from shared.lambda_entry import lambda_handler
from shared.logging import configure_logging
from shared.settings import FullServiceSettings
from shared.testing import FakeKeys, LambdaContext, api_gateway_event

settings = FullServiceSettings(
    project_name="fin-advisor", environment="dev", service_name="api", log_level="CRITICAL",
    api_gateway_url="http://127.0.0.1:9/dev",
)
handler = lambda_handler(
    create_service_app(settings, title="T", description="D"), settings, keys=FakeKeys()
)
configure_logging("CRITICAL", stream=io.BytesIO())
event, context = api_gateway_event("GET", "/api/health"), LambdaContext(3000)

def kept_kib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024

slow = 0
for number in range(10_000):
    began = time.perf_counter()
    assert handler(event, context)["statusCode"] == 200
    slow += time.perf_counter() - began > 0.2
    if number == 4_000:
        before = kept_kib()
print(kept_kib() - before, slow)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("collector", ["refuses", "hangs"])
def test_an_outage_costs_neither_memory_nor_more_than_a_few_waits(collector: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _CODE, collector],
        env={
            "PYTHONPATH": os.pathsep.join(sys.path),
            "ENABLE_TRACING": "true",
            "AWS_LAMBDA_FUNCTION_NAME": "fin-advisor-dev-api",
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert ended.returncode == 0, ended.stderr
    grown_kib, waits = map(int, ended.stdout.split())
    assert grown_kib < 1024
    # Each failure doubles the pause: in ten thousand requests few meet the collector at all.
    assert waits < 20
