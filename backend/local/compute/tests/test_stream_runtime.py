"""Our runtime loop beside AWS's client on the same events, and the answers that it streams."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from local.blueprint import STREAM_WRAPPER, WRAPPER_VARIABLE
from local.compute.environments import InitFailedError
from local.compute.functions import FunctionPool
from local.compute.processes import BACKEND
from local.compute.runtime_api import InvocationResult
from local.conftest import Pools

pytestmark = pytest.mark.anyio

TRACE = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1"
OWN_LOOP = {WRAPPER_VARIABLE: STREAM_WRAPPER}
EVENTS: list[Any] = [
    {"answer": 0},
    {"answer": {"text": "\u00e4\U0001f4b0", "list": [1, 2.5, None, True]}},
    {"answer": None},
    {"raise": "nobody expected this"},
    {"answer": 1, "sleep": 0.01},
]


async def invoke(pool: FunctionPool, event: Any) -> InvocationResult:
    return await pool.invoke(json.dumps(event).encode(), trace_id=TRACE)


async def streamed(pool: FunctionPool, event: Any) -> tuple[InvocationResult, list[bytes]]:
    pieces: list[bytes] = []
    result = await pool.invoke(json.dumps(event).encode(), trace_id=TRACE, on_piece=pieces.append)
    return result, pieces


async def test_it_answers_the_events_that_awss_client_answers_in_the_same_way(pools: Pools) -> None:
    ours = pools.pool("plain", environment=OWN_LOOP)
    theirs = pools.pool("plain", name="test-theirs")
    for event in EVENTS:
        own, other = await asyncio.gather(invoke(ours, event), invoke(theirs, event))
        assert own.function_error == other.function_error, event
        if own.function_error is None:
            assert json.loads(own.payload) == json.loads(other.payload), event
            continue
        errors = [json.loads(one.payload) for one in (own, other)]
        for error in errors:
            del error["requestId"]
            error["stackTrace"] = bool(error["stackTrace"])
        assert errors[0] == errors[1]


async def test_context_trace_and_environment_are_those_of_awss_client(pools: Pools) -> None:
    bodies = []
    for name, environment in (("ours", OWN_LOOP), ("theirs", {})):
        pool = pools.pool("echo", name=name, environment=environment)
        result = await invoke(pool, {"question": "?"})
        body = json.loads(json.loads(result.payload)["body"])
        assert body["request_id"] == result.request_id
        assert 0 < body["remaining_ms"] <= 20_000
        bodies.append({key: body[key] for key in ("event", "memory", "trace", "calls")})
        assert body["arn"].endswith(f":function:{name}")
        assert body["environment"]["_X_AMZN_TRACE_ID"] == TRACE
    assert bodies[0] == bodies[1]


async def test_an_error_at_start_is_reported(pools: Pools) -> None:
    for environment in (OWN_LOOP, {}):
        pool = pools.pool("no_such_handler", environment=environment)
        with pytest.raises(InitFailedError, match="no_such_handler"):
            await pool.warm()


async def test_pieces_come_before_the_function_has_ended(pools: Pools) -> None:
    pool = pools.pool("streaming", environment=OWN_LOOP)
    first = asyncio.Event()
    event = json.dumps({"pieces": ["a", "b"], "pause": 1}).encode()
    task = asyncio.create_task(pool.invoke(event, trace_id=TRACE, on_piece=lambda _: first.set()))
    await first.wait()
    assert not task.done()
    assert (await task).function_error is None


async def test_a_streamed_answer_is_followed_by_a_buffered_one(pools: Pools) -> None:
    pool = pools.pool("streaming", environment=OWN_LOOP)
    result, pieces = await streamed(pool, {"pieces": ["one ", "", "two"]})
    assert (result.function_error, b"".join(pieces)) == (None, b"one two")
    buffered = await invoke(pool, {"answer": 7})
    assert json.loads(buffered.payload) == 7
    whole = await invoke(pool, {"pieces": ["one ", "two"]})
    assert whole.payload == b"one two"
    assert len(pool.pids) == 1


async def test_an_error_in_the_middle_is_in_the_trailers(pools: Pools) -> None:
    pool = pools.pool("streaming", environment=OWN_LOOP)
    result, pieces = await streamed(pool, {"pieces": ["one"], "raise": "in the middle"})
    assert b"".join(pieces) == b"one"
    assert result.function_error == "Unhandled"
    error = json.loads(result.payload)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "in the middle")
    assert json.loads((await invoke(pool, {"answer": 1})).payload) == 1


async def test_an_error_before_the_first_piece_is_an_error_as_usual(pools: Pools) -> None:
    pool = pools.pool("streaming", environment=OWN_LOOP)
    result, pieces = await streamed(pool, {"pieces": [], "raise": "at once"})
    assert (result.function_error, pieces) == ("Unhandled", [])


async def test_a_process_that_ends_in_the_middle_fails_the_invocation(pools: Pools) -> None:
    pool = pools.pool("streaming", environment=OWN_LOOP)
    result, pieces = await streamed(pool, {"pieces": ["one"], "exit": 3})
    assert b"".join(pieces) == b"one"
    assert result.function_error == "Unhandled"
    assert json.loads(result.payload)["errorType"] == "Runtime.ExitError"


async def test_a_stream_is_ended_at_the_functions_timeout(pools: Pools) -> None:
    pool = pools.pool("streaming", environment=OWN_LOOP, timeout_seconds=3.0)
    result, pieces = await streamed(pool, {"pieces": ["one"], "sleep": 60})
    assert b"".join(pieces) == b"one"
    assert json.loads(result.payload)["errorType"] == "Sandbox.Timedout"


async def test_the_wrapper_starts_the_loop_by_the_runtimes_interpreter(tmp_path: Path) -> None:
    """Lambda runs the wrapper with the command of its own client as arguments."""
    wrapper = BACKEND / STREAM_WRAPPER.removeprefix("/var/task/")
    interpreter = tmp_path / "python"
    interpreter.write_text('#!/bin/sh\necho "$PYTHONPATH|$*"\n')
    interpreter.chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        wrapper,
        interpreter,
        "/var/runtime/bootstrap.py",
        env={"LAMBDA_TASK_ROOT": "/var/task", "PYTHONPATH": "/var/runtime"},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert out == b"/var/task:/opt/python:/var/runtime|-m shared.aws_lambda.runtime\n"
