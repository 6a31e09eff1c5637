"""Scheduled invocations."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from local.blueprint import Schedule
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
    schedule = Schedule(json.dumps({"task": "advance-jobs"}), every_seconds=0.05)
    scheduler = Scheduler(Functions(pools.made), {"echo": schedule})
    scheduler.start()
    await wait_for(pools.logs["echo"].path, "echoed", 2)
    await scheduler.stop()


async def test_a_failed_invocation_is_logged_and_the_schedule_continues(
    pools: Pools, caplog: pytest.LogCaptureFixture
) -> None:
    pools.pool("plain")
    schedule = Schedule('{"raise": "broken"}', every_seconds=0.05)
    scheduler = Scheduler(Functions(pools.made), {"plain": schedule})
    with caplog.at_level(logging.WARNING, logger="local.compute.scheduler"):
        scheduler.start()
        async with asyncio.timeout(60):
            # Twice: the schedule continued after the first.
            while caplog.text.count("the scheduled invocation of plain failed") < 2:
                await asyncio.sleep(0.01)
    await scheduler.stop()


async def test_each_schedule_has_its_own_interval(pools: Pools) -> None:
    often, never = pools.pool("echo"), pools.pool("plain")
    schedules = {
        "echo": Schedule("{}", every_seconds=0.05),
        "plain": Schedule("{}", every_seconds=3_600.0),
    }
    scheduler = Scheduler(Functions([often, never]), schedules)
    scheduler.start()
    await wait_for(pools.logs["echo"].path, "echoed", 2)
    await scheduler.stop()
    assert not never.pids
