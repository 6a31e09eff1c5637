"""The service's own key: read once by however many ask, kept, and read again when it must be."""

import asyncio
import uuid
from typing import Any

import pytest

from shared.aws.api_keys import SecretsManagerKeys
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
    """A secret of one test, in the embedded AWS that all tests share, behind a counting front."""

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
        return SecretsManagerKeys(self.name, region="us-east-1", **options)


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
    async with asyncio.timeout(20):
        while not front.calls:
            await asyncio.sleep(0.005)
    front.gate.set()
    assert set(await asyncio.gather(*calls)) == {"the-key"}
    assert await keys.current() == "the-key"
    assert front.calls == [_READ]


async def test_a_thousand_refusals_at_once_read_each_version_once(
    secret: _Secret, front: FrontOfAws
) -> None:
    secret.store("old", "new")
    keys = secret.keys()
    assert set(await asyncio.gather(*(keys.refreshed("old") for _ in range(1000)))) == {"new"}
    assert set(await asyncio.gather(*(keys.previous() for _ in range(1000)))) == {"old"}
    assert front.calls == [_READ, "GetSecretValue AWSPREVIOUS"]
    assert await keys.refreshed("old") == "new"
    assert len(front.calls) == 2, "somebody has read it since"


async def test_a_key_is_read_again_after_its_time(secret: _Secret, front: FrontOfAws) -> None:
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


async def test_an_outage_is_bridged_by_the_last_key_and_not_paid_for_by_every_request(
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
async def test_each_failure_of_a_first_read_is_told_apart(
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


async def test_no_secrets_manager_at_all_is_unavailable(secret: _Secret, front: FrontOfAws) -> None:
    front.stop()
    with pytest.raises(Unavailable, match="does not answer"):
        await secret.keys().current()


@pytest.mark.parametrize("stored", [" ", "two words", "line\nbreak", "schlüssel", '{"key": "x"}'])
async def test_a_secret_that_is_no_key_is_refused_without_being_shown(
    secret: _Secret, front: FrontOfAws, stored: str
) -> None:
    secret.store(stored)
    with pytest.raises(BadDependency, match="holds no API key") as caught:
        await secret.keys().current()
    assert stored.strip() == "" or stored not in str(caught.value)


async def test_white_space_around_a_key_is_not_part_of_it(
    secret: _Secret, front: FrontOfAws
) -> None:
    secret.store("the-key\n")
    assert await secret.keys().current() == "the-key"


async def test_there_may_be_no_previous_version(secret: _Secret, front: FrontOfAws) -> None:
    secret.store("only")
    assert await secret.keys().previous() is None


async def test_a_caller_that_gives_up_leaves_the_read_to_the_others(
    secret: _Secret, front: FrontOfAws
) -> None:
    secret.store("the-key")
    front.gate.clear()
    keys = secret.keys()
    first, second = (asyncio.create_task(keys.current()) for _ in range(2))
    async with asyncio.timeout(20):
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
    loop.run_until_complete(give_up())  # its read is still on its way
    assert len(front.calls) == 1
    front.gate.set()
    assert asyncio.run(keys.current()) == "the-key"
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
