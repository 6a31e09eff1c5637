"""`tracing_mode = "auto"`: a function with the ADOT layer's older OpenTelemetry and its wrapper.

Pants puts the layer's packages, and the zip of `api`, into the working folder.
"""

import asyncio
import json
import os
import subprocess
import sysconfig
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.compute.packages import runtime_folder
from local.compute.processes import BACKEND
from local.compute.runtime_api import Invocation, InvocationResult, RuntimeApi
from local.overlay import WRAPPER_VARIABLES
from local.tests import adot_layer
from local.tests.adot_layer import PYTHON, WRAPPED_HANDLER
from local.traces.receiver import OtlpReceiver
from local.traces.spans import Span
from local.traces.store import TraceStore
from shared.testing import api_gateway_event
from shared.tests.collector import FAULTS, faulty_collector

pytestmark = pytest.mark.anyio

_ROOT = "1-5759e988-bd862e3fe1be46a994272793"
_TRACE = "5759e988bd862e3fe1be46a994272793"
_PARENT = "53995c3f42cd8ad8"
_XRAY = f"Root={_ROOT};Parent={_PARENT};Sampled=1"
_KEY_ID = "abcdefghij"
_ZIP = Path("api.zip").absolute()


@dataclass
class Task:
    """A function's code: its folders, which follow the layer's on the path, and its handler."""

    path: list[Path]
    handler: str


@pytest.fixture(params=["source", "zip"])
def task(request: pytest.FixtureRequest, tmp_path: Path) -> Task:
    runtime = runtime_folder(tmp_path / "runtime")
    if request.param == "source":
        packages = Path(sysconfig.get_paths()["purelib"])
        return Task([BACKEND, packages, runtime], "api.handler.handler")
    with zipfile.ZipFile(_ZIP) as file:
        file.extractall(tmp_path / "task")
    return Task([tmp_path / "task", runtime], "lambda_function.handler")


@pytest.fixture
def layer(tmp_path: Path) -> list[Path]:
    """The folders that the layer puts on the path."""
    (tmp_path / "wrapper").mkdir()
    return adot_layer.folders(tmp_path / "wrapper")


@pytest.fixture
def with_keys(aws: Any) -> dict[str, str]:
    """The variables of a function that checks the scopes of keys, and calls others with its own."""
    boto3.client("ssm").put_parameter(
        Name="/fin-advisor/dev/api-key-ids", Value=json.dumps({"web": [_KEY_ID]}), Type="String"
    )
    scopes = {"operations": {"read": ["GET /test"]}, "keys": {"web": ["read"]}}
    return {
        "AWS_ENDPOINT_URL_SSM": aws.endpoint_url,
        "ENABLE_SERVICE_API_KEYS": "true",
        "KEY_SCOPES": json.dumps(scopes),
    }


@dataclass
class Function:
    """A function behind the wrapper, and the store of its spans."""

    api: RuntimeApi
    store: TraceStore
    output: list[str]

    async def invoke(self, event: Any, trace_id: str = _XRAY) -> dict[str, Any]:
        arn = "arn:aws:lambda:us-east-1:000000000000:function:fin-advisor-dev-api"
        invocation = Invocation(json.dumps(event).encode(), 30.0, arn, trace_id)
        self.api.submit(invocation)
        result: InvocationResult = await asyncio.wait_for(invocation.result, 60)
        assert result.function_error is None, result.payload
        return dict(json.loads(result.payload))

    def spans(self, trace_id: str = _TRACE) -> list[Span]:
        return self.store.trace(trace_id)


@asynccontextmanager
async def _function(path: list[Path], handler: str, **environment: str) -> AsyncIterator[Function]:
    store, api, output = TraceStore(), RuntimeApi(), list[str]()
    receiver = OtlpReceiver(store)
    await receiver.start()
    await api.start()
    # AWS_LAMBDA_EXEC_WRAPPER gets the runtime's command as arguments; the layer's script replaces
    # the handler by a module of the layer.
    command = [PYTHON, "-m", "awslambdaric", WRAPPED_HANDLER]
    wrapped = [PYTHON, str(adot_layer.instrument()), *command]
    process = await asyncio.create_subprocess_exec(
        *wrapped,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "fin-advisor-dev-api",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": receiver.http_url,  # answers 404, so calls do not wait
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "_HANDLER": WRAPPED_HANDLER,
            "ORIG_HANDLER": handler,
            "PROJECT_NAME": "fin-advisor",
            "ENVIRONMENT": "dev",
            "ENABLE_SERVICE_API_KEYS": "false",
            "SERVICE_NAME": "api",
            "API_GATEWAY_URL": "http://127.0.0.1:9/dev",
            "PEER_SERVICES": "chat",
            # What Terraform and the layer's script set.
            "ENABLE_TRACING": "true",
            "OTLP_ENDPOINT": receiver.http_url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_PROPAGATORS": "tracecontext,baggage,xray-lambda",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_SERVICE_NAME": "wrapped-api",
            **environment,
        },
        cwd=BACKEND,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    reading = asyncio.create_task(_read(process, output))
    try:
        yield Function(api, store, output)
    except BaseException:
        print("\n".join(output))
        raise
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading
        await api.stop()
        await receiver.stop()
        store.close()


async def _read(process: asyncio.subprocess.Process, output: list[str]) -> None:
    assert process.stdout is not None
    output.extend([line.decode(errors="replace").rstrip() async for line in process.stdout])


def _check_coherent(spans: list[Span]) -> None:
    ids = {span.span_id for span in spans}
    assert len(ids) == len(spans)
    tops = [span for span in spans if span.parent_id not in ids]
    assert [span.parent_id for span in tops] == [_PARENT], "one span below the function's segment"
    assert {span.trace_id for span in spans} == {_TRACE}
    # All spans are from the wrapper's provider: a second one would name the service "api".
    assert {span.service for span in spans} == {"wrapped-api"}
    # One request span, although four could create one: FastAPI's telemetry, the wrapper's
    # instrumentations of Lambda and of FastAPI, and the shared library.
    requests = [span for span in spans if _is_request(span)]
    assert len(requests) == 1, [(span.scope, span.name, span.kind) for span in spans]


def _is_request(span: Span) -> bool:
    names = {"http.route", "http.status_code", "http.response.status_code"}
    return span.kind != "CLIENT" and bool(names & set(span.attributes))


@pytest.mark.parametrize("order", ["layer first", "task first"])
async def test_behind_the_wrapper_a_request_is_one_coherent_trace(
    task: Task, layer: list[Path], order: str
) -> None:
    folders = [*layer, *task.path] if order == "layer first" else [*task.path, *layer]
    async with _function(folders, task.handler) as function:
        answer = await function.invoke(api_gateway_event("GET", "/api/health"))
        assert answer["statusCode"] == 200
        _check_coherent(function.spans())


async def test_a_call_to_another_service_is_in_the_trace_once(
    task: Task, layer: list[Path], with_keys: dict[str, str]
) -> None:
    folders = [*layer, *task.path]
    async with _function(folders, task.handler, **WRAPPER_VARIABLES, **with_keys) as function:
        event = api_gateway_event("GET", "/api/test", key_id=_KEY_ID)
        answer = await function.invoke(event)
        assert answer["statusCode"] in {200, 502, 503}
        spans = function.spans()
        _check_coherent(spans)
        reads = [span for span in spans if "GetSecretValue" in span.name]
        assert len(reads) == 1, [span.name for span in spans]


async def test_with_the_wrapper_and_tracing_off_requests_succeed(
    task: Task, layer: list[Path]
) -> None:
    folders = [*layer, *task.path]
    async with _function(folders, task.handler, ENABLE_TRACING="false") as function:
        # With tracing on, this request would create spans, for example of reading the key.
        answer = await function.invoke(api_gateway_event("GET", "/api/test"))
        assert answer["statusCode"] == 200
        assert function.spans(), "the wrapper records spans of its own"
        assert {span.scope for span in function.spans()}.isdisjoint({"fin-advisor"})


async def test_a_direct_invocation_works_behind_the_wrapper(task: Task, layer: list[Path]) -> None:
    async with _function([*layer, *task.path], task.handler) as function:
        answer = await function.invoke({"test": "secrets"})
        assert answer["readable"] is False
        assert answer["secret"] == "fin-advisor/dev/api/api-key"


@pytest.mark.parametrize("task", ["zip"], indirect=True)
async def test_no_fault_of_a_collector_fails_a_request_behind_the_wrapper(
    task: Task, layer: list[Path]
) -> None:
    event = api_gateway_event("GET", "/api/health")
    async with AsyncExitStack() as stack:
        functions = {}
        for fault in (None, *FAULTS):
            variables = dict(WRAPPER_VARIABLES)
            if fault is not None:
                url = stack.enter_context(faulty_collector(fault))
                variables |= {"OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_ENDPOINT": url}
            started = _function([*layer, *task.path], task.handler, **variables)
            functions[fault] = await stack.enter_async_context(started)
        for _ in range(6):
            for fault, function in functions.items():
                assert (await function.invoke(event))["statusCode"] == 200, fault


def test_the_emulated_layer_is_as_old_as_the_real_one(layer: list[Path]) -> None:
    code = "import opentelemetry.sdk.version as v; print(v.__version__)"
    path = os.pathsep.join(map(str, layer))
    found = subprocess.run(
        [PYTHON, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("1.32.")


def test_the_wrappers_variables_are_those_of_terraform() -> None:
    assert adot_layer.terraforms_variables() == WRAPPER_VARIABLES
