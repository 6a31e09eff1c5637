"""A function under AWS's runtime client with a faulty collector: every request is answered.

One of the collectors accepts a request and never answers, so an export without a timeout would keep
the function until its own timeout.
"""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from local.blueprint import Function
from local.compute.environments import Environment
from local.compute.logs import OutputLog
from local.compute.processes import Program
from local.compute.runtime_api import Invocation
from shared.testing import api_gateway_event
from shared.tests.collector import FAULTS, faulty_collector, http_collector

pytestmark = pytest.mark.anyio

_EVENT = json.dumps(api_gateway_event("GET", "/api/health")).encode()
_TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
_FAILED_EXPORTS = 3


class Subject:
    """The api service with a collector of its own."""

    def __init__(self, folder: Path, name: str, collector: str) -> None:
        function = Function(
            f"fin-advisor-dev-{name}",
            "api",
            "api.handler.handler",
            {
                "PROJECT_NAME": "fin-advisor",
                "ENVIRONMENT": "dev",
                "SERVICE_NAME": "api",
                "API_GATEWAY_URL": "http://127.0.0.1:9/dev",
                "PEER_SERVICES": "chat",
                "ENABLE_TRACING": "true",
                "OTLP_ENDPOINT": collector,
            },
        )
        self._arn = function.arn
        self._log = OutputLog(folder / f"{name}.log")
        program = Program("awslambdaric", (function.handler,))
        self.environment = Environment(function, program, {}, self._log)

    async def ask(self) -> None:
        invocation = Invocation(_EVENT, 30.0, self._arn, _TRACE)
        result = await self.environment.invoke(invocation)
        assert result.function_error is None, result.payload
        assert json.loads(result.payload)["statusCode"] == 200
        await self.environment.settled()

    def failed_exports(self) -> int:
        """How many exports the collector has failed, by the function's log."""
        text = self._log.path.read_text()
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return sum(line.get("event") == "tracing_export_failed" for line in lines)

    async def stop(self) -> None:
        await self.environment.stop()
        self._log.close()


async def test_no_fault_of_a_collector_fails_a_request(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        urls = {fault: stack.enter_context(faulty_collector(fault)) for fault in FAULTS}
        urls["none"] = stack.enter_context(http_collector()).url
        subjects: dict[str, Subject] = {}
        for name, url in urls.items():
            subjects[name] = Subject(tmp_path, name, url)
            stack.push_async_callback(subjects[name].stop)
        await asyncio.gather(*(subject.environment.start() for subject in subjects.values()))
        good = subjects.pop("none")
        # After a failed export the exporter pauses, for one second and then for two.
        async with asyncio.timeout(300):
            while any(one.failed_exports() < _FAILED_EXPORTS for one in subjects.values()):
                for one in (good, *subjects.values()):
                    await one.ask()
                await asyncio.sleep(0.02)
        assert good.failed_exports() == 0
