"""The usage snippets of the requirements run exactly as written there."""

import asyncio
import json
import os
import sys
import textwrap
import uuid
from pathlib import Path
from typing import Any

import pytest

from shared.tests.servers import FrontOfAws, answer, loopback, unused_port

pytestmark = pytest.mark.anyio

_SNIPPETS = Path(__file__).parent / "snippets"

# The environment variables that the requirements list.
_ENVIRONMENT = {
    "PROJECT_NAME": "fin-advisor",
    "ENVIRONMENT": "dev",
    "SERVICE_NAME": "api",
    "LOG_LEVEL": "INFO",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ENABLE_TRACING": "true",
    "OTLP_ENDPOINT": "http://localhost:4317",
    "API_GATEWAY_URL": "https://abc123.execute-api.us-east-1.amazonaws.com/dev",
}
_RUNNER = """
import ast, asyncio, inspect, sys
code = compile(sys.stdin.read(), "snippet", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
async def main():
    result = eval(code, globals())
    if inspect.isawaitable(result):
        await result
asyncio.run(main())
"""


async def _run(snippet: str, *, before: str = "", after: str = "", **environment: str) -> list[str]:
    """Run a snippet in a new process and return the lines that it prints."""
    text = (_SNIPPETS / f"{snippet}.txt").read_text()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", _RUNNER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
    )
    code = f"{before}\n{text}\n{textwrap.dedent(after)}"
    async with asyncio.timeout(120):
        printed, errors = await process.communicate(code.encode())
    assert process.returncode == 0, errors.decode()
    return printed.decode().splitlines()


async def test_settings_of_a_service() -> None:
    after = "print(settings.max_retries, settings.service_name, settings.aws_region)"
    assert await _run("settings", after=after) == ["3 api us-east-1"]
    assert await _run("settings", after=after, MAX_RETRIES="9") == ["9 api us-east-1"]


_REQUEST = """
import httpx
@app.get("/health")
def health(): return {}
transport = httpx.ASGITransport(app=app, client=("192.168.1.1", 1))
async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
    await client.get("/health")
"""


def _parsed(printed: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed]


async def test_the_middleware_logs_the_keys_that_the_requirements_show() -> None:
    started, completed = _parsed(await _run("middleware", after=_REQUEST))
    shown: dict[str, Any] = {"method": "GET", "path": "/health", "client_ip": "192.168.1.1"}
    assert shown.items() <= started.items()
    assert started["event"] == "request_started"
    assert {"method": "GET", "path": "/health", "status": 200}.items() <= completed.items()
    assert completed["event"] == "request_completed"
    assert (completed["service"], completed["environment"]) == ("api", "dev")
    assert isinstance(completed["duration"], float)
    assert completed["timestamp"].endswith("Z")


@pytest.mark.parametrize("enabled", ["true", "false"])
async def test_a_service_initialises_the_library(enabled: str) -> None:
    after = """
    from opentelemetry import trace
    print(type(trace.get_tracer_provider()).__name__)
    """
    # The snippet does not import FastAPI itself. No collector listens on the port.
    (provider,) = await _run(
        "service",
        before="from fastapi import FastAPI",
        after=after,
        ENABLE_TRACING=enabled,
        OTLP_ENDPOINT=f"http://localhost:{unused_port()}",
    )
    assert (provider == "TracerProvider") is (enabled == "true")


async def test_one_service_calls_another(front: FrontOfAws, secrets_manager: Any) -> None:
    project = f"p{uuid.uuid4().hex[:12]}"
    secrets_manager.create_secret(Name=f"{project}/dev/api/api-key", SecretString="the-key")
    healthy = answer(body={"status": "healthy"})
    async with loopback(healthy) as gateway:
        printed = await _run(
            "client",
            PROJECT_NAME=project,
            ENABLE_TRACING="false",
            API_GATEWAY_URL=f"{gateway.url}/dev",
            **{name: value for name, value in os.environ.items() if name.startswith("AWS_")},
        )
    assert printed == ["{'status': 'healthy'}"]
    (seen,) = gateway.seen
    assert (seen.target, seen.header("x-api-key")) == ("/dev/chat/health", "the-key")
    assert front.calls == ["GetSecretValue AWSCURRENT"]
