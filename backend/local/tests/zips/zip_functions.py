"""A packaged function under AWS's runtime client. It can reach only the embedded AWS."""

import json
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from local.aws.bedrock_api import BedrockApi
from local.aws.seeding import seed
from local.aws.server import EmbeddedAws
from local.aws.wsgi import Environ, StartResponse
from local.aws.wsgi_answers import answer_error, answer_json, read_body
from local.bedrock.runtime import Bedrock
from local.blueprint import ENV_FILE_KEYS, SERVICES, Blueprint, Function
from local.compute.environments import Environment
from local.compute.logs import LogFolder
from local.compute.packages import PACKAGED_HANDLER, packaged_program, remove_tree, runtime_folder
from local.compute.processes import Program
from local.compute.runtime_api import Invocation, InvocationResult
from local.default_estate import default_estate
from local.overlay import Endpoints, overlay
from shared.testing import api_gateway_event

KEYS = {name: f"key-of-{name}-not-to-be-logged" for name in (*SERVICES, *ENV_FILE_KEYS.values())}
PROBE_HANDLER = "probe.handler"
QUESTION = "How large should an emergency fund be?"

# Modules that come after the package on its path: the guard and the probe.
_BESIDE = Path(__file__).with_name("beside").absolute()
_XRAY_ROOT = "1-5759e988-bd862e3fe1be46a994272793"
_PASSAGE = {
    "document_id": "emergency-fund",
    "passage_id": "emergency-fund#0",
    "title": "Emergency fund",
    "text": "An emergency fund covers three to six months of expenses.",
    "score": 0.9,
    "metadata": {},
}
_ANSWERS: dict[tuple[str, str], dict[str, Any]] = {
    **{("GET", f"/{name}/health"): {"status": "healthy"} for name in SERVICES},
    ("POST", "/chat/messages"): {
        "answer": "Three to six months of expenses.",
        "status": "answered",
        "disclosure": "An AI wrote this.",
        "usage": {"input_tokens": 1, "output_tokens": 2},
        "model_id": "m",
        "answer_id": "a_1",
        "conversation_id": "c_1",
    },
    ("POST", "/s3vector/query"): {"passages": [_PASSAGE]},
    ("PUT", "/s3vector/documents"): {"documents": [], "passages": 0},
}


def of(*services: str) -> pytest.MarkDecorator:
    """Run a test for the packages of these services only."""
    return pytest.mark.parametrize("service", services, indirect=True)


def event_for(service: str, method: str, path: str, **options: Any) -> dict[str, Any]:
    """The gateway's event for a request with a key that has the service's scopes."""
    key_id = "key-ingest" if service == "api" else "key-api"
    return api_gateway_event(method, f"/{service}{path}", key_id=key_id, **options)


def json_body(content: Any, form: str) -> dict[str, Any]:
    """A JSON body as the gateway passes it: as text, or in base64 where the type is binary."""
    if form == "text":
        return {"json": content}
    encoded = json.dumps(content, ensure_ascii=False).encode()
    return {"body": encoded, "headers": {"content-type": "application/json"}}


@dataclass
class Neighbours:
    """The other services behind the gateway and the span collector. They share the embedded AWS's
    address, so that a function needs only one.
    """

    keys: set[str] = field(default_factory=lambda: set(KEYS.values()))
    calls: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and key of each call."""
    exports: int = 0

    def serves(self, environ: Environ) -> bool:
        path: str = environ["PATH_INFO"]
        return path.startswith(("/dev/", "/v1/traces"))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        read_body(environ)
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix("/dev")
        if path == "/v1/traces":
            self.exports += 1
            return answer_json(start_response, 200, {})
        key = environ.get("HTTP_X_API_KEY")
        self.calls.append((method, path, key))
        if key not in self.keys:
            return answer_error(start_response, 403, "ForbiddenException", "Forbidden")
        return answer_json(start_response, 200, _ANSWERS[method, path])


@dataclass(frozen=True)
class Surroundings:
    """What a function needs: the embedded AWS with Terraform's resources, and the packages."""

    aws: EmbeddedAws
    neighbours: Neighbours
    blueprint: Blueprint
    packages: Path
    folder: Path

    @property
    def port(self) -> int:
        port = urlsplit(self.aws.url).port
        assert port is not None
        return port

    def program(self, service: str, handler: str) -> Program:
        """A program that runs the service's package, which is unpacked once, under the guard."""
        task = self.folder / "task" / service
        runtime = self.folder / "runtime"
        if not runtime.exists():
            runtime_folder(runtime)
        if not task.exists():
            packaged_program(self.packages / f"{service}.zip", task, runtime)
        return Program(
            "guarded_runtime",
            (str(task), str(self.port), handler),
            (task, runtime, _BESIDE),
            task,
            isolated=True,
        )

    def variables(self, service: str) -> dict[str, str]:
        """The service's variables as Terraform sets them, with this machine's endpoints."""
        functions = {one.service: one for one in self.blueprint.functions}
        runner, *_ = self.blueprint.web_services
        own: dict[str, Mapping[str, str]] = {
            # From terraform/apprunner-runner.tf, for a runner that is a function.
            "runner": {**runner.environment, "ORIGIN_CHECK": "false"},
            "rotation": {**functions["api"].environment, "SERVICE_NAME": "rotation"},
            **{name: function.environment for name, function in functions.items()},
        }
        url = self.aws.url
        endpoints = Endpoints(api=f"{url}/dev", aws=url, otlp=url)
        return {**own[service], **overlay(endpoints, service=service, bedrock="local")}


@contextmanager
def start_surroundings(packages: Path, folder: Path) -> Iterator[Surroundings]:
    blueprint = default_estate(keys=KEYS, origin_secret="not-used")
    neighbours = Neighbours()
    aws = EmbeddedAws([BedrockApi(Bedrock()), neighbours])
    aws.serve()
    try:
        httpx.post(f"{aws.url}/moto-api/reset")  # moto keeps its state for the whole process
        seed(blueprint, aws.url)
        yield Surroundings(aws, neighbours, blueprint, packages, folder)
    finally:
        aws.stop()
        remove_tree(folder)


@dataclass(frozen=True)
class Answer:
    """The HTTP answer that API Gateway returns for a proxy function's result."""

    status: int
    headers: dict[str, list[str]]
    body: str
    is_base64: bool
    payload_bytes: int
    """The size of the whole answer, as Lambda counts it."""

    @classmethod
    def of(cls, result: InvocationResult) -> "Answer":
        assert result.function_error is None, result.payload[:2000]
        content = json.loads(result.payload)
        headers = {name: [value] for name, value in content["headers"].items()}
        return cls(
            content["statusCode"],
            {**headers, **content["multiValueHeaders"]},
            content["body"],
            content["isBase64Encoded"],
            len(result.payload),
        )

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ZipFunction:
    """One execution environment of a packaged function."""

    service: str
    environment: Environment
    log: Path
    task: Path
    _invocations: int = 0

    @property
    def pid(self) -> int:
        assert self.environment.alive
        assert self.environment.pid is not None
        return self.environment.pid

    def memory_and_files(self) -> tuple[int, int]:
        """The process's private memory in bytes, and the number of its open files."""
        of_process = Path("/proc") / str(self.pid)
        status = dict(
            line.split(":", 1) for line in (of_process / "status").read_text().splitlines()
        )
        # Not VmRSS, which includes file pages that depend on the machine's cache.
        memory = int(status["RssAnon"].removesuffix("kB")) * 1024
        return memory, len(list((of_process / "fd").iterdir()))

    async def invoke(self, event: Any) -> InvocationResult:
        """Send one event, and wait until the environment asks for the next."""
        self._invocations += 1
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:fin-advisor-dev-{self.service}"
        trace = f"Root={_XRAY_ROOT};Parent={self._invocations:016x};Sampled=1"
        invocation = Invocation(json.dumps(event).encode(), 30.0, arn, trace)
        result = await self.environment.invoke(invocation)
        await self.environment.settled()
        return result

    async def request(
        self, method: str, path: str, *, request_id: str = "the-gateways-id", **options: Any
    ) -> Answer:
        """Send a request as API Gateway does. `path` has no service prefix."""
        event = event_for(self.service, method, path, **options)
        event["requestContext"]["requestId"] = request_id
        return Answer.of(await self.invoke(event))

    @property
    def output(self) -> str:
        """The lines that it has printed; complete once the environment has ended."""
        return self.log.read_text()

    def lines(self) -> list[dict[str, Any]]:
        """Its log: everything that it has printed, except metrics."""
        lines = [json.loads(line) for line in self.output.splitlines()]
        return [line for line in lines if "_aws" not in line]

    def refusals(self) -> list[str]:
        """The calls that the guard refused, but for one."""
        # pycryptodome asks the program `file` for the platform, and does without it, as on Lambda.
        refused = [line for line in self.output.splitlines() if line.startswith("REFUSED")]
        return [line for line in refused if line != "REFUSED subprocess.Popen 'file'"]


@asynccontextmanager
async def zip_function(
    surroundings: Surroundings,
    service: str,
    folder: Path,
    handler: str = PACKAGED_HANDLER,
    **variables: str,
) -> AsyncIterator[ZipFunction]:
    """Run a packaged function. Afterwards, check that it tried nothing that the guard refuses."""
    program = surroundings.program(service, handler)
    before = _listing(program.working_directory)
    logs = LogFolder(folder)
    values = {**surroundings.variables(service), **variables}
    function = Function(f"fin-advisor-dev-{service}", service, handler, values)
    environment = Environment(function, program, {}, logs[service])
    running = ZipFunction(service, environment, logs[service].path, program.working_directory)
    try:
        await environment.start()
        yield running
    except BaseException:
        print(running.output[-20_000:])
        raise
    finally:
        await environment.stop()
        logs.close()
    after = _listing(program.working_directory)
    changed = [name for name in after | before if after.get(name, ()) != before.get(name, ())]
    assert not changed, changed


def _listing(task: Path) -> dict[str, tuple[int, int] | None]:
    """Every file; for code also its size and modification time.

    Data files may change: a start-up hook of the machine's Python can add certificates.
    """
    found: dict[str, tuple[int, int] | None] = {}
    for folder, _, files in os.walk(task):
        for path in (Path(folder) / name for name in files):
            status = path.stat()
            is_code = path.suffix in {".py", ".pyc", ".so"}
            found[str(path)] = (status.st_size, status.st_mtime_ns) if is_code else None
    return found
