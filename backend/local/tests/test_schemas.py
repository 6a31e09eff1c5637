"""Requests made from each service's OpenAPI document: no answer is a 5xx or undocumented.

Schemathesis sends valid and invalid requests through the gateway to the running services.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from local.aws.server import boto3_client
from local.blueprint import REGION, SERVICES
from local.conftest import RunningUp, start_up, stop_up
from services.declared import DECLARED

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
)
SCHEMAS = "response_schema_conformance"
# The document calls a stream a string, which it is as a whole; Schemathesis compares each event.
STREAMS = "/stream$"
EXAMPLES = 20  # random requests to each operation, beside those at the bounds of its parameters
SECONDS = 600


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    """An estate of its own: the requests store, cancel and delete things."""
    estate = start_up(tmp_path_factory.mktemp("schemas"), "--tracing", "off", "--unlimited")
    yield estate
    assert stop_up(estate) == 0


def key_with_most_scopes(running: RunningUp, service: str) -> str:
    """The value of the API key that may use the most operations of a service."""
    keys = DECLARED.key_scopes(service)["keys"]
    name = max(keys, key=lambda one: len(keys[one]))
    secrets = boto3_client(
        "secretsmanager", endpoint_url=running.variables["AWS_ENDPOINT_URL"], region=REGION
    )
    answer = secrets.get_secret_value(SecretId=f"fin-advisor/dev/{name}/api-key")
    return str(answer["SecretString"])


@pytest.mark.parametrize("service", SERVICES)
def test_every_answer_is_documented_and_none_is_a_server_error(
    running: RunningUp, service: str, tmp_path: Path
) -> None:
    url, key = f"{running.url}/{service}", key_with_most_scopes(running, service)
    document = httpx.get(f"{url}/openapi.json", headers={"x-api-key": key}, timeout=60).json()
    operations = {path: len(methods) for path, methods in document["paths"].items()}
    streams = sum(count for path, count in operations.items() if re.search(STREAMS, path))
    assert sum(operations.values()) > len(DECLARED.services[service].access)
    tested = _test(url, key, tmp_path, (*CHECKS, SCHEMAS), "--exclude-path-regex", STREAMS)
    if streams:
        tested += _test(url, key, tmp_path, CHECKS, "--include-path-regex", STREAMS)
    assert tested == sum(operations.values())


def _test(url: str, key: str, folder: Path, checks: Sequence[str], *chosen: str) -> int:
    """Return the number of operations that were tested; each passed each check."""
    (folder / "schemathesis.toml").write_text('headers = { "x-api-key" = "${API_KEY}" }\n')
    arguments = {
        "--url": url,
        "--checks": ",".join(checks),
        "--phases": "examples,coverage,fuzzing",
        "--max-examples": str(EXAMPLES),
        "--seed": "1",
        "--generation-database": "none",
        "--request-timeout": "60",
        "--warnings": "off",
    }
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
            *(part for pair in arguments.items() for part in pair),
            *("--no-color", "--continue-on-failure", *chosen),
        ],
        cwd=folder,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
            "PYTHONUTF8": "1",
            "API_KEY": key,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    tested = re.search(r"^  Tested: (\d+)$", ran.stdout, re.MULTILINE)
    generated = re.search(r"(\d+) generated, (\d+) passed", ran.stdout)
    assert tested, ran.stdout
    assert generated, ran.stdout
    assert generated[1] == generated[2]
    assert int(generated[1]) > int(tested[1]) * EXAMPLES
    return int(tested[1])
