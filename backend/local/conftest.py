"""Fixtures: functions and a gateway over small handlers, and a running estate."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from local.blueprint import (
    ApiKey,
    Function,
    FunctionIntegration,
    HttpIntegration,
    Method,
    MockIntegration,
    RestApi,
    UsagePlan,
)
from local.compute.environments import Environment
from local.compute.functions import FunctionPool, Functions
from local.compute.logs import LogFolder
from local.compute.processes import BACKEND, STREAM_RUNTIME, Program
from local.compute.tests import functions_under_test
from local.env_file import EnvFile
from local.gateway.gateway import Gateway
from local.gateway.hops import Hops
from local.gateway.streaming import IDLE_SECONDS
from local.net.serving import AllowsOrigin, Asgi, Server

HANDLERS = functions_under_test.__name__


def function(handler: str, **fields: object) -> Function:
    """A function with one of the small handlers."""
    values: dict[str, object] = {"environment": {}, "timeout_seconds": 20.0, **fields}
    name = str(values.pop("name", f"test-{handler}"))
    return Function(name, handler, f"{HANDLERS}.{handler}", **values)  # type: ignore[arg-type]


@dataclass
class Pools:
    """Pools of functions with the small handlers, stopped together."""

    logs: LogFolder
    made: list[FunctionPool] = field(default_factory=list)

    reports: list[str] = field(default_factory=list)

    def pool(
        self,
        handler: str,
        *,
        max_environments: int = 4,
        idle_seconds: float = 600.0,
        **fields: object,
    ) -> FunctionPool:
        def make(what: Function, generation: int) -> Environment:
            module = STREAM_RUNTIME if what.streams else "awslambdaric"
            program = Program(module, (what.handler,))
            log = self.logs[what.service]
            return Environment(
                what, program, {}, log, generation=generation, report=self.reports.append
            )

        pool = FunctionPool(
            function(handler, **fields),
            make,
            max_environments=max_environments,
            idle_seconds=idle_seconds,
        )
        self.made.append(pool)
        return pool

    async def stop(self) -> None:
        for pool in self.made:
            await pool.stop()
        self.logs.close()


@pytest.fixture
async def pools(tmp_path: Path) -> AsyncIterator[Pools]:
    made = Pools(LogFolder(tmp_path / "logs"))
    yield made
    await made.stop()


@dataclass
class GatewayUnderTest:
    """A gateway on a real socket; `client` calls it with the key of `caller`."""

    url: str
    gateway: Gateway
    hops: Hops
    pools: Pools
    client: httpx.AsyncClient


def rest_api(**fields: object) -> RestApi:
    """A REST API with the stage `dev`: the small handlers, and a web service at `/site`."""
    resources: dict[str, dict[str, Method]] = {}
    for name in ("echo", "web", "narrow", "slow"):
        for path in (f"/{name}", f"/{name}/{{proxy+}}"):
            resources[path] = {
                "ANY": Method(FunctionIntegration(f"test-{name}")),
                "OPTIONS": Method(
                    MockIntegration(200, {"access-control-allow-origin": "https://app.example"}),
                    api_key_required=False,
                ),
            }
    site = HttpIntegration(
        "${stageVariables.site_url}/{proxy}",
        "site",
        {
            "x-origin-verify": "stageVariables.site_origin",
            "x-amzn-requestid": "context.requestId",
            "x-fixed": "'as it is'",
        },
    )
    resources["/site/{proxy+}"] = {"ANY": Method(site)}
    resources["/lost/{proxy+}"] = {"ANY": Method(FunctionIntegration("no-such-function"))}
    values: dict[str, object] = {
        "keys": (
            ApiKey("key-1", "caller", "secret-caller"),
            ApiKey("key-2", "disabled", "secret-disabled", enabled=False),
            ApiKey("key-3", "planless", "secret-planless"),
            ApiKey("key-4", "thrifty", "secret-thrifty"),
            ApiKey("key-5", "slow", "secret-slow"),
        ),
        "usage_plans": (
            UsagePlan("plan-1", "all", ("key-1", "key-2")),
            UsagePlan("plan-2", "two a day", ("key-4",), quota_limit=2, quota_period="DAY"),
            UsagePlan("plan-3", "trickle", ("key-5",), rate_per_second=0.001, burst=1),
        ),
        "stage_variables": {"site_origin": "origin-secret"},
        "binary_media_types": ("application/octet-stream", "image/*"),
        "integration_timeout_seconds": 10.0,
        "cors_origins": ("https://app.example", "https://b.example"),
        **fields,
    }
    return RestApi("test000000", "test", "dev", resources, **values)  # type: ignore[arg-type]


@asynccontextmanager
async def serve(
    application: Asgi, *, allows_origin: AllowsOrigin | None = None
) -> AsyncIterator[str]:
    """The URL at which `application` is served."""
    server = Server(application, allows_origin=allows_origin)
    await server.start()
    try:
        yield server.url
    finally:
        await server.stop()


@asynccontextmanager
async def serve_gateway(
    pools: Pools, api: RestApi, *, stream_idle_seconds: float = IDLE_SECONDS
) -> AsyncIterator[GatewayUnderTest]:
    hops = Hops()
    gateway = Gateway(api, Functions(pools.made), hops, stream_idle_seconds=stream_idle_seconds)
    async with serve(gateway, allows_origin=gateway.allows_origin) as url:
        headers = {"x-api-key": "secret-caller"}
        client = httpx.AsyncClient(base_url=f"{url}/dev", headers=headers, timeout=30)
        async with client:
            yield GatewayUnderTest(url, gateway, hops, pools, client)
    await gateway.close()


@dataclass
class RunningUp:
    """A running `local.up` and the variables of its env file."""

    process: subprocess.Popen[str]
    variables: dict[str, str]
    output: Path

    @property
    def url(self) -> str:
        return self.variables["API_GATEWAY_URL"]

    @property
    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.variables["API_KEY"]}

    @property
    def ingest_headers(self) -> dict[str, str]:
        return {"x-api-key": self.variables["INGEST_API_KEY"]}

    def log(self, service: str) -> str:
        return (Path(self.variables["LOG_DIR"]) / f"{service}.log").read_text()

    def children(self, program: str = "") -> set[int]:
        """The ids of its child processes that run `program`."""
        found = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="],  # noqa: S607 - found on PATH
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        rows = (line.split(None, 2) for line in found.splitlines())
        return {
            int(pid)
            for pid, parent, command in rows
            if int(parent) == self.process.pid and "child.py" in command and program in command
        }


def start_up(
    folder: Path, *arguments: str, backend: Path = BACKEND, seconds: float = 300
) -> RunningUp:
    """Start `local.up` of `backend` and wait until it is ready."""
    env_file, output = folder / "estate.env", folder / "output.txt"
    environment = {**os.environ, "PYTHONPATH": str(backend)}
    command = [sys.executable, "-m", "local.up", "--port", "0", "--env-file", str(env_file)]
    with output.open("w") as sink:
        process = subprocess.Popen(
            [*command, *arguments],
            env=environment,
            cwd=backend.parent,
            stdout=sink,
            stderr=subprocess.STDOUT,
            text=True,
        )
    if not wait_until(lambda: env_file.exists() or process.poll() is not None, seconds=seconds):
        process.kill()
    if not env_file.exists():
        process.wait()
        raise AssertionError(f"the estate did not start: {output.read_text()}")
    return RunningUp(process, EnvFile(env_file).read(), output)


def stop_up(running: RunningUp) -> int:
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
    try:
        return running.process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        running.process.kill()
        raise


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Wait until `condition` is true. False if it is not within `seconds`."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    """The whole estate, started as a user does. Shared by the tests of the session."""
    running = start_up(tmp_path_factory.mktemp("estate"))
    yield running
    assert stop_up(running) == 0
