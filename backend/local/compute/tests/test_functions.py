"""Functions under AWS's runtime client, and their pools."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from local.blueprint import Function
from local.compute.environments import Environment, InitFailedError
from local.compute.functions import FunctionPool, Functions, FunctionThrottledError
from local.compute.logs import LogFolder
from local.compute.processes import Program
from local.compute.runtime_api import InvocationResult
from local.conftest import Pools

pytestmark = pytest.mark.anyio

TRACE = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1"


async def invoke(pool: FunctionPool, event: Any) -> InvocationResult:
    return await pool.invoke(json.dumps(event).encode(), trace_id=TRACE)


async def test_a_function_gets_the_context_and_variables_of_lambda(pools: Pools) -> None:
    pool = pools.pool("echo", environment={"OWN": "variable"}, memory_mb=512)
    result = await invoke(pool, {"question": "?"})
    assert result.function_error is None
    body = json.loads(json.loads(result.payload)["body"])
    assert body["event"] == {"question": "?"}
    assert body["request_id"] == result.request_id
    assert body["trace"] == TRACE
    assert body["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:test-echo"
    assert 0 < body["remaining_ms"] <= 20_000
    environment = body["environment"]
    expected = {
        "OWN": "variable",
        "AWS_LAMBDA_FUNCTION_NAME": "test-echo",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": "us-east-1",
        "_HANDLER": "local.compute.tests.functions_under_test.echo",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    }
    assert environment.items() >= expected.items()
    assert Path(environment["LAMBDA_TASK_ROOT"]).is_dir()


async def test_the_users_own_variables_do_not_reach_a_function(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("SERVICE_NAME", "not-this")
    result = await invoke(pools.pool("echo"), {})
    environment = json.loads(json.loads(result.payload)["body"])["environment"]
    assert "AWS_PROFILE" not in environment
    assert "SERVICE_NAME" not in environment


async def test_a_warm_environment_is_reused(pools: Pools) -> None:
    pool = pools.pool("echo")
    bodies = [json.loads(json.loads((await invoke(pool, {})).payload)["body"]) for _ in range(3)]
    assert [body["calls"] for body in bodies] == [1, 2, 3]
    assert len({body["pid"] for body in bodies}) == 1


async def test_concurrent_invocations_use_different_environments(pools: Pools) -> None:
    pool = pools.pool("plain", max_environments=2)
    events = [{"sleep": 1, "answer": number} for number in range(2)]
    results = await asyncio.gather(*(invoke(pool, event) for event in events))
    assert [json.loads(result.payload) for result in results] == [0, 1]
    assert len(pool.pids) == 2


async def test_no_more_environments_than_the_limit(pools: Pools) -> None:
    pool = pools.pool("plain", max_environments=2)
    results = await asyncio.gather(*(invoke(pool, {"answer": n}) for n in range(20)))
    assert [json.loads(result.payload) for result in results] == list(range(20))
    assert len(pool.pids) <= 2


async def test_reserved_concurrency_throttles(pools: Pools) -> None:
    pool = pools.pool("plain", reserved_concurrency=1)
    await pool.warm()
    busy = asyncio.create_task(invoke(pool, {"sleep": 0.5, "answer": "done"}))
    await asyncio.sleep(0)
    with pytest.raises(FunctionThrottledError):
        await invoke(pool, {})
    assert json.loads((await busy).payload) == "done"
    assert json.loads((await invoke(pool, {"answer": 2})).payload) == 2


async def test_an_exception_is_reported_and_the_environment_stays(pools: Pools) -> None:
    pool = pools.pool("plain")
    result = await invoke(pool, {"raise": "broken"})
    before = pool.pids
    error = json.loads(result.payload)
    assert result.function_error == "Unhandled"
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "broken")
    assert json.loads((await invoke(pool, {"answer": 1})).payload) == 1
    assert pool.pids == before


async def test_a_crash_fails_the_invocation_and_the_environment_is_replaced(pools: Pools) -> None:
    pool = pools.pool("plain")
    result = await invoke(pool, {"exit": 3})
    error = json.loads(result.payload)
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert json.loads((await invoke(pool, {"answer": 1})).payload) == 1


async def test_a_timeout_kills_the_environment_and_it_is_replaced(pools: Pools) -> None:
    pool = pools.pool("plain", timeout_seconds=0.5)
    await pool.warm()
    before = pool.pids
    result = await asyncio.wait_for(invoke(pool, {"sleep": 600}), 60)
    assert b"Task timed out after 0.50 seconds" in result.payload
    assert json.loads((await invoke(pool, {"answer": 1})).payload) == 1
    assert pool.pids != before


async def test_a_response_over_six_megabytes_fails_and_the_next_call_works(pools: Pools) -> None:
    pool = pools.pool("plain")
    result = await invoke(pool, {"size": 7_000_000})
    assert json.loads(result.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    assert json.loads((await invoke(pool, {"answer": 1})).payload) == 1


async def test_a_handler_that_cannot_be_imported_says_why(pools: Pools) -> None:
    pool = pools.pool("nothing_of_this_name")
    with pytest.raises(InitFailedError, match=r"HandlerNotFound.*nothing_of_this_name"):
        await pool.warm()
    result = await invoke(pool, {})
    assert result.function_error == "Unhandled"
    assert b"HandlerNotFound" in result.payload


async def test_output_is_kept_in_the_services_log(pools: Pools) -> None:
    result = await invoke(pools.pool("echo"), {})
    line = json.dumps({"event": "echoed", "request_id": result.request_id})
    assert line in pools.logs["echo"].path.read_text().splitlines()


async def test_reload_runs_new_code_and_keeps_the_old_if_the_new_is_broken(tmp_path: Path) -> None:
    source = tmp_path / "reloaded.py"
    source.write_text("def handler(event, context): return 'first'\n")
    logs = LogFolder(tmp_path / "logs")

    def make(function: Function, generation: int) -> Environment:
        program = Program("awslambdaric", (function.handler,), (tmp_path,))
        return Environment(function, program, {}, logs["reloaded"], generation=generation)

    pool = FunctionPool(Function("f", "reloaded", "reloaded.handler", {}), make)
    try:
        assert json.loads((await invoke(pool, {})).payload) == "first"
        source.write_text("def handler(event, context): return 'the second'\n")
        await pool.reload()
        assert json.loads((await invoke(pool, {})).payload) == "the second"
        source.write_text("def handler(event, context) return 'never'\n")
        with pytest.raises(InitFailedError, match="SyntaxError"):
            await pool.reload()
        assert json.loads((await invoke(pool, {})).payload) == "the second"
    finally:
        await pool.stop()
        logs.close()


async def test_functions_are_found_by_name_arn_and_qualifier(pools: Pools) -> None:
    pool = pools.pool("echo")
    functions = Functions([pool])
    assert functions["test-echo"] is pool
    assert functions["test-echo:live"] is pool
    assert functions[f"{pool.function.arn}:live"] is pool
    with pytest.raises(KeyError):
        functions["other"]


async def test_idle_environments_end_except_one(pools: Pools) -> None:
    pool = pools.pool("plain", idle_seconds=0.2)
    events = [{"sleep": 1, "answer": number} for number in range(3)]
    await asyncio.gather(*(invoke(pool, event) for event in events))
    async with asyncio.timeout(60):
        while len(pool.pids) > 1:
            await asyncio.sleep(0.02)
    assert json.loads((await invoke(pool, {"answer": "still"})).payload) == "still"
    assert len(pool.pids) == 1


async def test_a_process_that_is_killed_is_reported_and_one_that_times_out_is_not(
    pools: Pools,
) -> None:
    pool = pools.pool("plain", timeout_seconds=0.5)
    await invoke(pool, {"sleep": 60})
    await pool.warm()
    [pid] = pool.pids
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        while not pools.reports:
            await asyncio.sleep(0.02)
    [line] = pools.reports
    assert line.startswith("a process of plain ended: signal SIGKILL")


async def test_a_suspended_function_fails_until_it_resumes(pools: Pools) -> None:
    pool = pools.pool("plain")
    await pool.warm()
    running = asyncio.create_task(invoke(pool, {"sleep": 60}))
    while pool.pids and not running.done():
        await asyncio.sleep(0.05)
        await pool.suspend()
    assert (await running).function_error is not None
    assert (pool.pids, pool.is_suspended) == ([], True)
    refused = await invoke(pool, {"answer": 1})
    assert "plain is stopped" in refused.payload.decode()
    await pool.resume()
    assert json.loads((await invoke(pool, {"answer": 1})).payload) == 1
    assert (pool.cold_starts, pool.restarts) == (2, 0)


async def test_a_crash_and_a_reload_count_as_restarts(pools: Pools) -> None:
    pool = pools.pool("plain")
    await invoke(pool, {"exit": 3})
    await invoke(pool, {"answer": 1})
    await pool.reload()
    assert pool.restarts == 2
