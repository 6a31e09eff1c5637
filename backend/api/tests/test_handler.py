"""The Lambda entry is thin: a cold health check imports what it needs, and nothing else."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from api.handler import handler
from shared.testing import LambdaContext, api_gateway_event

heavy = ("boto3", "botocore", "grpc", "opentelemetry.sdk", "opentelemetry.exporter",
         "opentelemetry.instrumentation", "stamina", "numpy")
loaded = [name for name in heavy if name in sys.modules]
"""
ENVIRONMENT = {
    "PROJECT_NAME": "fin-advisor",
    "ENVIRONMENT": "test",
    "SERVICE_NAME": "api",
    "API_GATEWAY_URL": "http://127.0.0.1:9/dev",
}


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + program],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
        | ENVIRONMENT
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_entry_imports_no_sdk_before_a_request_needs_it() -> None:
    # shared.testing imports httpx, so that httpx itself is not in the list.
    outcome = run("print(loaded)")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.strip() == "[]"


@pytest.mark.parametrize("path", ["/api/health", "/api/liveness", "/api/readiness"])
def test_a_gateway_event_reaches_the_route_below_the_prefix(path: str) -> None:
    outcome = run(f"print(handler(api_gateway_event('GET', '{path}'), LambdaContext())['body'])")
    body = json.loads(outcome.stdout.splitlines()[-1])
    assert body["service"] == "api"


def test_a_path_that_only_begins_like_the_prefix_is_not_routed() -> None:
    outcome = run(
        "print(handler(api_gateway_event('GET', '/apiary/health'), LambdaContext())['statusCode'])"
    )
    assert outcome.stdout.splitlines()[-1] == "404"


def test_a_missing_variable_ends_the_start_with_one_message() -> None:
    outcome = run("", API_GATEWAY_URL="", LOG_LEVEL="LOUD")
    assert outcome.returncode == 1
    assert "API_GATEWAY_URL" in outcome.stderr
    assert "LOG_LEVEL" in outcome.stderr
    assert "Traceback" not in outcome.stderr
