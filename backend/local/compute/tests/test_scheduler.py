"""Scheduled invocations."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from local.compute.functions import Functions
from local.compute.scheduler import Scheduler
from local.conftest import Pools

pytestmark = pytest.mark.anyio


async def wait_for(path: Path, text: str, times: int) -> None:
    async with asyncio.timeout(60):
        while not path.exists() or path.read_text().count(text) < times:
            await asyncio.sleep(0.02)


async def test_a_scheduled_function_is_invoked_repeatedly(pools: Pools) -> None:
    pools.pool("echo")
    event = json.dumps({"task": "advance-jobs"})
    scheduler = Scheduler(Functions(pools.made), {"echo": event}, every_seconds=0.05)
    scheduler.start()
    await wait_for(pools.logs["echo"].path, "echoed", 2)
    await scheduler.stop()


async def test_a_failed_invocation_is_logged_and_the_schedule_continues(
    pools: Pools, caplog: pytest.LogCaptureFixture
) -> None:
    pools.pool("plain")
    scheduler = Scheduler(
        Functions(pools.made), {"plain": '{"raise": "broken"}'}, every_seconds=0.05
    )
    with caplog.at_level(logging.WARNING, logger="local.compute.scheduler"):
        scheduler.start()
        async with asyncio.timeout(60):
            # Twice: the schedule continued after the first.
            while caplog.text.count("the scheduled invocation of plain failed") < 2:
                await asyncio.sleep(0.01)
    await scheduler.stop()
