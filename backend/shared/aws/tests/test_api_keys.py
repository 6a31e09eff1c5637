"""Concurrent callers share one read of the key, which is cached and read again when needed."""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from typing import Any

import pytest

from shared.aws import api_keys
from shared.aws.api_keys import SecretsManagerKeys
from shared.aws.clients import aws_client
from shared.conftest import Lines
from shared.errors import BadDependency, ServiceError, Unavailable
from shared.tests.servers import FrontOfAws

pytestmark = pytest.mark.anyio

_READ = "GetSecretValue AWSCURRENT"


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class _Secret:
    """A secret of one test in the embedded AWS that all tests share."""

    def __init__(self, client: Any) -> None:
        self.name = f"fin-advisor/dev/{uuid.uuid4()}/api-key"
        self._client = client

    def store(self, *keys: str) -> None:
        self._client.create_secret(Name=self.name, SecretString=keys[0])
        for key in keys[1:]:
            self.put(key)

    def put(self, key: str) -> None:
        self._client.put_secret_value(SecretId=self.name, SecretString=key)

    def keys(self, **options: Any) -> SecretsManagerKeys:
        # A long timeout: on a busy machine the default one would expire, and botocore read again.
        client = aws_client("secretsmanager", region="us-east-1", read_timeout_seconds=120)
        return SecretsManagerKeys(self.name, client=client, **options)


@pytest.fixture
def secret(secrets_manager: Any) -> _Secret:
    return _Secret(secrets_manager)


async def test_a_thousand_concurrent_first_calls_read_once(
    secret: _Secret, front: FrontOfAws
) -> None:
    secret.store("the-key")
    front.gate.clear()
    keys = secret.keys()
    calls = [asyncio.create_task(keys.current()) for _ in range(1000)]
    async with asyncio.timeout(120):
        while not front.calls:
            await asyncio.sleep(0.005)
    front.gate.set()
    assert set(await asyncio.gather(*calls)) == {"the-key"}
    assert await keys.current() == "the-key"
    assert front.calls == [_READ]


async def test_a_thousand_concurrent_refusals_read_each_version_once(
    secret: _Secret, front: FrontOfAws
) -> None:
    secret.store("old", "new")
    keys = secret.keys()
    assert set(await asyncio.gather(*(keys.refreshed("old") for _ in range(1000)))) == {"new"}
    assert set(await asyncio.gather(*(keys.previous() for _ in range(1000)))) == {"old"}
    assert front.calls == [_READ, "GetSecretValue AWSPREVIOUS"]
    assert await keys.refreshed("old") == "new"
    assert len(front.calls) == 2, "the new key is cached"


async def test_an_expired_key_is_read_again(secret: _Secret, front: FrontOfAws) -> None:
    secret.store("first")
    clock = _Clock()
    keys = secret.keys(ttl_seconds=300, clock=clock)
    assert await keys.current() == "first"
    secret.put("second")
    clock.now += 269
    assert await keys.current() == "first"
    clock.now += 32
    assert await keys.current() == "second"
    assert front.calls == [_READ, _READ]


async def test_during_an_outage_the_expired_key_is_used_and_reads_are_rare(
    secret: _Secret, front: FrontOfAws, lines: Lines
) -> None:
    secret.store("first")
    clock = _Clock()
    keys = secret.keys(ttl_seconds=300, clock=clock)
    await keys.current()
    clock.now += 301
    front.fail_with = (400, {"__type": "AccessDeniedException", "message": "no"})
    for _ in range(5):
        assert await keys.current() == "first"
    assert len(front.calls) == 2
    (line,) = lines.of("api_key_stale")
    assert line["level"] == "warning"
    assert line["secret_name"] == secret.name
    assert b'"first"' not in lines.stream.getvalue()
    front.fail_with = None
    clock.now += 31
    assert await keys.current() == "first"
    assert len(front.calls) == 3


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        ((400, {"__type": "AccessDeniedException"}), BadDependency),
        ((400, {"__type": "ResourceNotFoundException"}), BadDependency),
        ((400, {"__type": "ThrottlingException"}), Unavailable),
        ((500, {"__type": "InternalServiceError"}), Unavailable),
    ],
)
async def test_a_failed_first_read_raises_the_matching_error(
    secret: _Secret,
    front: FrontOfAws,
    failure: tuple[int, dict[str, str]],
    error: type[ServiceError],
) -> None:
    front.fail_with = failure
    keys = secret.keys()
    outcomes = await asyncio.gather(*(keys.current() for _ in range(5)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {error}
    assert secret.name in str(outcomes[0])


async def test_a_closed_port_is_unavailable(secret: _Secret, front: FrontOfAws) -> None:
    front.stop()
    with pytest.raises(Unavailable, match="does not answer"):
        await secret.keys().current()


@pytest.mark.parametrize(
    "stored",
    [
        " ",
        "two words",
        "line\nbreak",
        "schlüssel",
        '{"key":"x"}',
        '{"api_key":1}',
        '["x"]',
        '"x"',
        "{x",
    ],
)
async def test_an_invalid_key_is_refused_and_not_shown(
    secret: _Secret, front: FrontOfAws, stored: str
) -> None:
    secret.store(stored)
    with pytest.raises(BadDependency, match="contains no API key") as caught:
        await secret.keys().current()
    assert stored.strip() == "" or stored not in str(caught.value)


async def test_white_space_around_a_key_is_removed(secret: _Secret, front: FrontOfAws) -> None:
    secret.store("the-key\n")
    assert await secret.keys().current() == "the-key"


async def test_without_a_previous_version_there_is_no_previous_key(
    secret: _Secret, front: FrontOfAws
) -> None:
    secret.store("only")
    assert await secret.keys().previous() is None


async def test_a_cancelled_caller_does_not_cancel_the_read_for_others(
    secret: _Secret, front: FrontOfAws
) -> None:
    secret.store("the-key")
    front.gate.clear()
    keys = secret.keys()
    first, second = (asyncio.create_task(keys.current()) for _ in range(2))
    async with asyncio.timeout(120):
        while not front.calls:
            await asyncio.sleep(0.005)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    front.gate.set()
    assert await second == "the-key"
    assert front.calls == [_READ]


def test_a_second_event_loop_can_use_the_same_keys(secret: _Secret, front: FrontOfAws) -> None:
    secret.store("the-key")
    keys = secret.keys()

    async def give_up() -> None:
        task = asyncio.create_task(keys.current())
        while not front.calls:
            await asyncio.sleep(0.005)
        task.cancel()

    front.gate.clear()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(give_up())  # its read has not finished
    assert len(front.calls) == 1
    front.gate.set()
    assert asyncio.run(keys.current()) == "the-key"
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


_TRACED_READS = """
import asyncio, json
from botocore.exceptions import ClientError
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shared.aws.api_keys import SecretsManagerKeys

class Client:
    def get_secret_value(self, SecretId, VersionStage):
        if VersionStage == "AWSCURRENT":
            return {"SecretString": "hunter2"}
        error = {"Code": "AccessDenied", "Message": "hunter2"}
        raise ClientError({"Error": error}, "GetSecretValue")

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
keys = SecretsManagerKeys("p/dev/api/api-key", client=Client())

async def read():
    await keys.current()
    await keys.previous()

asyncio.run(read())
print(json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()]))
"""


def test_each_read_is_a_span_without_the_key_and_without_error_text() -> None:
    # In a process of its own: OpenTelemetry's provider can be set only once.
    ended = subprocess.run(
        [sys.executable, "-c", _TRACED_READS],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    current, previous = json.loads(ended.stdout)
    assert current["name"] == previous["name"] == "read API key"
    assert current["attributes"] == {"secret.stage": "AWSCURRENT"}
    assert previous["attributes"] == {
        "secret.stage": "AWSPREVIOUS",
        "error.type": "bad_dependency",
    }
    assert (current["status"]["status_code"], previous["status"]["status_code"]) == (
        "UNSET",
        "ERROR",
    )
    assert "hunter2" not in ended.stdout


async def test_a_key_that_stays_refused_is_read_again_after_a_pause_only(
    secret: _Secret, front: FrontOfAws
) -> None:
    secret.store("old", "refused")
    clock = _Clock()
    keys = secret.keys(clock=clock)
    await keys.current()
    for _ in range(20):
        assert await keys.refreshed("refused") == "refused"
        assert await keys.previous() == "old"
    assert front.calls == [_READ, _READ, "GetSecretValue AWSPREVIOUS"]
    secret.put("new")
    clock.now += api_keys.PAUSE_SECONDS
    assert await keys.refreshed("refused") == "new"
    assert await keys.previous() == "refused"


async def test_while_a_refused_key_cannot_be_read_it_is_asked_for_once(
    secret: _Secret, front: FrontOfAws
) -> None:
    secret.store("refused")
    keys = secret.keys(clock=_Clock())
    await keys.current()
    front.fail_with = (400, {"__type": "AccessDeniedException"})
    with pytest.raises(BadDependency):
        await keys.refreshed("refused")
    for _ in range(20):
        assert await keys.refreshed("refused") == "refused"
    assert len(front.calls) == 2


@pytest.mark.parametrize("stored", ['{"api_key": "the-key"}', '{"api_key":"the-key","other":1}'])
async def test_a_json_secret_has_the_key_in_its_field(
    secret: _Secret, front: FrontOfAws, stored: str
) -> None:
    secret.store(stored)
    assert await secret.keys().current() == "the-key"
