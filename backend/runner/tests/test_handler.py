"""The runner as a Lambda function in a separate process, called with API Gateway's events."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from runner.tests.conftest import KEY
from runner.tests.fakes import Store
from runner.tests.instances import KEY_ID
from shared.testing import api_gateway_event

# Answers go to standard error, one a line; standard output belongs to the log.
PROGRAM = """
import json, sys
import runner.handler
from shared.testing import LambdaContext
parsers = {'bs4', 'mammoth', 'openpyxl', 'pypdfium2'}
dear = parsers | {'boto3', 'botocore', 'uvicorn', 'opentelemetry.sdk', 'grpc'}
print(json.dumps(sorted(dear & set(sys.modules))), file=sys.stderr, flush=True)
for line in sys.stdin:
    answer = runner.handler.handler(json.loads(line), LambdaContext())
    print(json.dumps(answer), file=sys.stderr, flush=True)
"""


class Function:
    """The process, invoked an event at a time."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environment, text=True,
        )  # fmt: skip
        self.imported = self._answer()

    def _answer(self) -> Any:
        assert self.process.stderr is not None
        return json.loads(self.process.stderr.readline())

    def invoke(self, event: dict[str, Any]) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(event) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        answer = self.invoke(api_gateway_event(method, f"/runner{path}", key_id=KEY_ID, **options))
        return answer["statusCode"], json.loads(answer["body"] or "null")

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def function(environment: dict[str, str]) -> Iterator[Function]:
    function = Function(environment)
    yield function
    function.close()


def test_a_job_goes_from_the_gateways_event_to_the_store(
    function: Function, gateway: Store
) -> None:
    assert function.imported == []
    body = {"documents": [{"id": "a", "text": "<p>Some text.", "content_type": "text/html"}]}
    status, job = function.call("POST", "/jobs", json=body)
    assert status == 202
    status, job = function.call("POST", f"/jobs/{job['id']}/run")
    assert (status, job["state"], job["done"]) == (200, "succeeded", 1)
    assert gateway.documents["a"]["text"] == "Some text."
    status, page = function.call("GET", "/jobs", query="state=open")
    assert (status, page["jobs"]) == (200, [])


def test_a_direct_invocation_reports_whether_the_key_can_be_read(function: Function) -> None:
    answer = function.invoke({"test": "secrets"})
    assert answer["readable"] is True
    assert KEY not in json.dumps(answer)


def test_an_unavailable_store_leaves_the_job_waiting(function: Function, gateway: Store) -> None:
    gateway.status = 503
    body = {"documents": [{"id": "a", "text": "Some text."}]}
    _, job = function.call("POST", "/jobs", json=body)
    status, job = function.call("POST", f"/jobs/{job['id']}/run")
    assert (status, job["state"], job["failed"]) == (200, "running", 0)
    assert job["waiting"]["reason"]
