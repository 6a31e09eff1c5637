"""The schedule of the estate."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from local.compute.functions import Functions
from local.compute.scheduler import Clock
from local.conftest import Pools

pytestmark = pytest.mark.anyio


async def wait_for(path: Path, text: str, times: int) -> None:
    async with asyncio.timeout(10):
        while not path.exists() or path.read_text().count(text) < times:
            await asyncio.sleep(0.02)


async def test_each_schedule_gets_its_event_again_and_again(pools: Pools) -> None:
    pools.pool("echo")
    event = json.dumps({"task": "advance-jobs"})
    clock = Clock(Functions(pools.made), {"echo": event}, every_seconds=0.05)
    clock.start()
    await wait_for(pools.logs["echo"].path, "echoed", 2)
    await clock.stop()


async def test_a_failing_task_is_logged_and_the_clock_goes_on(
    pools: Pools, caplog: pytest.LogCaptureFixture
) -> None:
    pools.pool("plain")
    clock = Clock(Functions(pools.made), {"plain": '{"raise": "broken"}'}, every_seconds=0.05)
    with caplog.at_level(logging.WARNING, logger="local.compute.scheduler"):
        clock.start()
        async with asyncio.timeout(30):
            # Twice: the clock went on after the first.
            while caplog.text.count("the schedule of plain failed") < 2:
                await asyncio.sleep(0.01)
    await clock.stop()
