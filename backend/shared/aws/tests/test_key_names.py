"""The names of keys are cached, read again for an unknown id, and never guessed."""

import asyncio
import json
import uuid
from typing import Any

import boto3
import pytest

from shared.aws.clients import aws_client
from shared.aws.key_names import REREAD_SECONDS, TTL_SECONDS, ParameterKeyNames
from shared.conftest import Lines
from shared.errors import Unavailable
from shared.tests.servers import FrontOfAws

pytestmark = pytest.mark.anyio

_READ = "GetParameter"
_FAILURE = (400, {"__type": "AccessDeniedException", "message": "no"})


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class _Parameter:
    """A parameter of one test in the embedded AWS that all tests share."""

    def __init__(self, client: Any) -> None:
        self.name = f"/fin-advisor/{uuid.uuid4()}/api-key-ids"
        self.clock = _Clock()
        self._client = client

    def store(self, value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        self._client.put_parameter(Name=self.name, Value=text, Type="String", Overwrite=True)

    def names(self) -> ParameterKeyNames:
        # A long timeout: on a busy machine the default one would expire, and botocore read again.
        client = aws_client("ssm", region="us-east-1", read_timeout_seconds=120)
        return ParameterKeyNames(self.name, lambda: client, clock=self.clock)


@pytest.fixture
def parameter(aws_server: Any, front: FrontOfAws) -> _Parameter:
    return _Parameter(boto3.client("ssm", endpoint_url=aws_server.endpoint_url))


async def test_concurrent_first_requests_read_once(
    parameter: _Parameter, front: FrontOfAws
) -> None:
    parameter.store({"client": ["id-1", "id-2"], "api": ["id-3"]})
    names = parameter.names()
    found = await asyncio.gather(*(names.name_of(f"id-{n % 3 + 1}") for n in range(30)))
    assert found[:3] == ["client", "client", "api"]
    assert front.calls == [_READ]


async def test_an_unknown_id_causes_one_read_and_then_a_pause(
    parameter: _Parameter, front: FrontOfAws
) -> None:
    parameter.store({"client": ["id-1"]})
    names = parameter.names()
    assert await names.name_of("id-1") == "client"
    parameter.store({"client": ["id-1", "id-2"]})  # a rotation
    parameter.clock.now += 1
    assert await names.name_of("id-2") == "client"
    assert front.calls == [_READ, _READ]
    for _ in range(20):
        assert await names.name_of("id-9") is None
    assert front.calls == [_READ, _READ]
    parameter.clock.now += REREAD_SECONDS
    assert await names.name_of("id-9") is None
    assert front.calls == [_READ] * 3


async def test_names_expire(parameter: _Parameter, front: FrontOfAws) -> None:
    parameter.store({"client": ["id-1"]})
    names = parameter.names()
    assert await names.name_of("id-1") == "client"
    parameter.store({})
    parameter.clock.now += TTL_SECONDS
    assert await names.name_of("id-1") is None
    assert front.calls == [_READ, _READ]


async def test_without_names_nothing_is_allowed_and_aws_is_not_flooded(
    parameter: _Parameter, front: FrontOfAws, lines: Lines
) -> None:
    parameter.store({"client": ["id-1"]})
    names = parameter.names()
    front.fail_with = _FAILURE
    for _ in range(20):
        with pytest.raises(Unavailable, match="cannot be checked") as caught:
            await names.name_of("id-1")
        assert caught.value.retry_after == REREAD_SECONDS
        assert "AccessDenied" not in caught.value.detail
    assert front.calls == [_READ]
    assert "AccessDenied" in lines.of("key_names_unreadable")[0]["detail"]
    front.fail_with = None
    parameter.clock.now += REREAD_SECONDS
    assert await names.name_of("id-1") == "client"


async def test_known_names_survive_an_outage_and_unknown_ids_are_not_refused_as_wrong(
    parameter: _Parameter, front: FrontOfAws
) -> None:
    parameter.store({"client": ["id-1"]})
    names = parameter.names()
    assert await names.name_of("id-1") == "client"
    front.fail_with = _FAILURE
    parameter.clock.now += TTL_SECONDS
    assert await names.name_of("id-1") == "client"
    with pytest.raises(Unavailable):
        await names.name_of("id-2")


@pytest.mark.parametrize("value", ["not JSON", '["id-1"]', '{"client": "id-1"}'])
async def test_a_damaged_parameter_allows_nothing(parameter: _Parameter, value: str) -> None:
    parameter.store(value)
    with pytest.raises(Unavailable):
        await parameter.names().name_of("id-1")
