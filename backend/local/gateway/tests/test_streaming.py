"""The gateway's idle limit of a stream, through a real function and a real socket."""

import dataclasses
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from local.blueprint import STREAM_WRAPPER, WRAPPER_VARIABLE, FunctionIntegration, Method
from local.compute.logs import LogFolder
from local.conftest import GatewayUnderTest, Pools, rest_api, serve_gateway
from local.gateway.streaming import IDLE_SECONDS

pytestmark = pytest.mark.anyio

IDLE = 2.0
PRELUDE = json.dumps({"statusCode": 200, "headers": {"content-type": "text/plain"}}) + "\0" * 8


@pytest.fixture(scope="module")
async def tested(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GatewayUnderTest]:
    pools = Pools(LogFolder(tmp_path_factory.mktemp("streams") / "logs"))
    pools.pool("streaming", name="test-streaming", environment={WRAPPER_VARIABLE: STREAM_WRAPPER})
    integration = FunctionIntegration("test-streaming", streams=True, timeout_seconds=60.0)
    api = dataclasses.replace(rest_api(), resources={"/stream": {"POST": Method(integration)}})
    async with serve_gateway(pools, api, stream_idle_seconds=IDLE) as under_test:
        yield under_test
    await pools.stop()


def test_the_limit_is_that_of_api_gateway() -> None:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
    assert IDLE_SECONDS == 5 * 60


async def test_a_stream_without_a_byte_for_the_limit_is_ended_in_the_middle(
    tested: GatewayUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    asked = {"pieces": [PRELUDE + "first", "never sent"], "pause": 4 * IDLE}
    async with tested.client.stream("POST", "/stream", json=asked) as answer:
        assert answer.status_code == 200
        pieces = answer.aiter_bytes()
        assert await anext(pieces) == b"first"
        # Without the last chunk, the client knows that the answer is not whole.
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            await anext(pieces)
    assert "POST /dev/stream broke off: no byte for 2 s" in caplog.text


async def test_a_stream_with_regular_bytes_may_last_longer_than_the_limit(
    tested: GatewayUnderTest,
) -> None:
    words = [f"word {number} " for number in range(7)]
    pause = IDLE / 6
    assert len(words) * pause > IDLE
    asked = {"pieces": [PRELUDE + words[0], *words[1:]], "pause": pause}
    answer = await tested.client.post("/stream", json=asked)
    assert (answer.status_code, answer.text) == (200, "".join(words))
