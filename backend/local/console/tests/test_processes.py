"""What the page says of a function's processes."""

import asyncio
import json

import pytest

from local.compute.environments import InitFailedError
from local.compute.functions import FunctionPool, Functions
from local.conftest import Pools
from local.console.processes import Processes

pytestmark = pytest.mark.anyio

TRACE = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1"


def _state(pool: FunctionPool) -> str:
    [process] = Processes(Functions([pool]), []).states()
    return process.state


async def test_a_function_is_idle_without_a_process_and_up_with_one(pools: Pools) -> None:
    pool = pools.pool("plain", timeout_seconds=0.5)
    assert _state(pool) == "idle"
    await pool.warm()
    assert _state(pool) == "up"
    # The invocation that takes too long ends the process; the next one starts another.
    await pool.invoke(json.dumps({"sleep": 60}).encode(), trace_id=TRACE)
    async with asyncio.timeout(60):
        while _state(pool) != "idle":
            await asyncio.sleep(0.02)
    assert _state(pool) == "idle"
    await pool.suspend()
    assert _state(pool) == "stopped"


async def test_a_function_that_cannot_start_is_down(pools: Pools) -> None:
    pool = pools.pool("nothing_of_this_name")
    with pytest.raises(InitFailedError):
        await pool.warm()
    assert _state(pool) == "down"
