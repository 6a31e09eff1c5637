"""The Lambda entry point answers gateway events, and imports packages only when needed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from s3vector.tests.cloud import Cloud

_BACKEND = Path(__file__).parents[2]

_TASK = """
import json
from s3vector.handler import handler
from shared.testing import LambdaContext

print(json.dumps({"answer": handler({"task": "erase-texts"}, LambdaContext())}))
"""

_PROGRAM = """
import json, sys
from s3vector.handler import handler
from shared.testing import LambdaContext, api_gateway_event

heavy = ("boto3", "botocore", "numpy", "grpc", "opentelemetry.sdk", "opentelemetry.exporter",
         "opentelemetry.instrumentation")
loaded = [name for name in heavy if name in sys.modules]
answers = [
    handler(api_gateway_event(method, path, json=body), LambdaContext())
    for method, path, body in json.loads(sys.argv[1])
]
print(json.dumps({"loaded": loaded, "answers": answers}))
"""


def _run(environment: dict[str, str], *calls: Any, program: str = _PROGRAM) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, json.dumps(calls)],
        cwd=_BACKEND,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(_BACKEND), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.fixture
def environment(cloud: Cloud, bucket_name: str) -> dict[str, str]:
    return {
        "PROJECT_NAME": "fin-advisor",
        "ENVIRONMENT": "test",
        "SERVICE_NAME": "s3vector",
        "API_GATEWAY_URL": "http://127.0.0.1:9/dev",
        "VECTOR_BUCKET_NAME": bucket_name,
        "ENABLE_SERVICE_API_KEYS": "false",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def test_it_stores_and_finds_over_the_real_clients(environment: dict[str, str]) -> None:
    """The clients of S3 and Bedrock are those of a deployed function, made by `shared.aws`."""
    documents = [{"id": "fund", "text": "Keep an emergency fund."}, {"id": "tax", "text": "Taxes"}]
    result = _run(
        environment,
        ("PUT", "/s3vector/documents", {"documents": documents}),
        ("POST", "/s3vector/query", {"text": "emergency fund", "top_k": 1}),
        ("GET", "/s3vector/readiness", None),
    )
    put, query, ready = result["answers"]
    assert put["statusCode"] == 200, put
    assert json.loads(query["body"])["passages"][0]["document_id"] == "fund"
    assert ready["statusCode"] == 200
    assert result["loaded"] == []


def test_the_scheduler_starts_an_erasure(environment: dict[str, str]) -> None:
    result = _run(environment, program=_TASK)
    assert result["answer"] == {"task": "erase-texts", "changed": 0, "complete": True}


def test_a_missing_setting_is_one_clear_message(environment: dict[str, str]) -> None:
    del environment["VECTOR_BUCKET_NAME"]
    done = subprocess.run(
        [sys.executable, "-c", "import s3vector.handler"],
        cwd=_BACKEND,
        env={"PYTHONPATH": str(_BACKEND), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "VECTOR_BUCKET_NAME" in done.stderr
    assert "Traceback" not in done.stderr
