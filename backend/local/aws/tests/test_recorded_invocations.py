"""Lambda's operation Invoke answers as it did where its answers are recorded."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from local.aws.lambda_invoke import LambdaInvocations
from local.aws.tests.recorded_invocations import INVOCATIONS, Invocation
from local.compute.functions import Functions
from local.compute.logs import LogFolder
from local.conftest import Pools

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LambdaInvocations]:
    pools = Pools(LogFolder(tmp_path_factory.mktemp("invocations") / "logs"))
    for name in ("echo", "plain"):
        pools.pool(name, version="1", alias="live")
    pools.pool("plain", name="test-short", timeout_seconds=0.5)
    pools.pool("absent")
    yield LambdaInvocations(Functions(pools.made), asyncio.get_running_loop())
    await pools.stop()


def call(served: LambdaInvocations, case: Invocation) -> dict[str, Any]:
    """Send a case's request, and return what came of it."""
    started: list[Any] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/2015-03-31/functions/{case.function}/invocations",
        "QUERY_STRING": f"Qualifier={case.qualifier}" if case.qualifier else "",
        "CONTENT_LENGTH": str(len(case.payload)),
        "wsgi.input": io.BytesIO(case.payload),
        **{
            f"HTTP_X_AMZ_{name.upper().replace('-', '_')}": value
            for name, value in case.headers.items()
        },
    }
    assert served.serves(environ)
    payload = b"".join(served(environ, lambda *start: started.extend(start)))
    headers = dict(started[1])
    content = json.loads(payload) if payload else None
    fields = content if isinstance(content, dict) else {}
    echoed = json.loads(fields["body"]) if "statusCode" in fields else {}
    return {
        **fields,
        "status": int(started[0].partition(" ")[0]),
        "payload": payload,
        "error": headers.get("x-amzn-ErrorType"),
        "version": headers.get("X-Amz-Executed-Version"),
        "function_error": headers.get("X-Amz-Function-Error"),
        "log": base64.b64decode(headers.get("X-Amz-Log-Result", "")).decode(),
        "arn": echoed.get("arn"),
    }


_PARTS = {"message", "log", "errorMessage"}


@pytest.mark.parametrize("case", INVOCATIONS, ids=lambda case: case.name)
async def test_the_answer_is_the_recorded_one(served: LambdaInvocations, case: Invocation) -> None:
    observed = await asyncio.to_thread(call, served, case)
    for key, value in {**case.aws, **case.ours}.items():
        if key in _PARTS:
            assert value in observed[key]
        else:
            assert observed[key] == value


def test_each_case_has_a_name_of_its_own_and_a_difference_has_its_reason() -> None:
    assert len({case.name for case in INVOCATIONS}) == len(INVOCATIONS)
    assert not [case.name for case in INVOCATIONS if bool(case.ours) != bool(case.reason)]
