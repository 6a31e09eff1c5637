"""A function under AWS's runtime client while its collector is at fault: every request is answered,
and none waits longer than the bound of an export.
"""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

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
_AT_MOST_SECONDS = 0.3
_MEETINGS = 3


class Subject:
    """The api service with a collector of its own, and how long each request took."""

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
                "ENABLE_TRACING": "true",
                "OTLP_ENDPOINT": collector,
            },
        )
        self._arn = function.arn
        self._log = OutputLog(folder / f"{name}.log")
        program = Program("awslambdaric", (function.handler,))
        self.environment = Environment(function, program, {}, self._log)
        self.seconds: dict[str, float] = {}

    async def ask(self) -> None:
        invocation = Invocation(_EVENT, 30.0, self._arn, _TRACE)
        began = time.perf_counter()
        result = await self.environment.invoke(invocation)
        self.seconds[invocation.request_id] = time.perf_counter() - began
        assert result.function_error is None, result.payload
        assert json.loads(result.payload)["statusCode"] == 200
        await self.environment.settled()

    def meetings(self) -> list[float]:
        """The seconds of the requests whose spans the collector did not take."""
        text = self._log.path.read_text()
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        failed = [line for line in lines if line.get("event") == "tracing_export_failed"]
        return [self.seconds[line["request_id"]] for line in failed]

    async def stop(self) -> None:
        await self.environment.stop()
        self._log.close()


async def test_no_fault_of_a_collector_costs_a_request_its_answer_or_its_time(
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
        # One after the other, so that what slows the machine slows all of them. After a failure the
        # collector is let alone for a second, then for two.
        give_up = time.monotonic() + 60
        while any(len(one.meetings()) < _MEETINGS for one in subjects.values()):
            assert time.monotonic() < give_up
            for one in (good, *subjects.values()):
                await one.ask()
            await asyncio.sleep(0.02)
        assert good.meetings() == []
        usual = median(good.seconds.values())
        for fault, one in subjects.items():
            # The median, as a busy machine is late at times.
            assert median(one.meetings()) - usual < _AT_MOST_SECONDS, fault
            assert median(one.seconds.values()) - usual < 0.1, fault
