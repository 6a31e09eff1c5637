"""A nested deadline is never later than the outer one; headers carry milliseconds."""

import asyncio
import time

import pytest

from shared.errors import DeadlineExceeded
from shared.request import deadline

pytestmark = pytest.mark.anyio


def test_outside_a_scope_there_is_no_deadline() -> None:
    assert deadline.current() is None
    assert deadline.remaining_seconds() is None


def test_a_scope_sets_an_earlier_deadline_and_restores_the_outer_one() -> None:
    now = time.time()
    with deadline.scope(now + 10, None, now + 20):
        assert deadline.current() == now + 10
        with deadline.scope(now + 60):
            assert deadline.current() == now + 10, "never later than the outer one"
        with pytest.raises(ZeroDivisionError), deadline.scope(now + 5):
            _ = 1 / 0
        assert deadline.current() == now + 10
        assert 0 < (deadline.remaining_seconds() or 0) <= 10
    assert deadline.current() is None


def test_the_remaining_time_is_never_negative() -> None:
    with deadline.scope(time.time() - 5):
        assert deadline.remaining_seconds() == 0


def test_a_scope_without_a_time_changes_nothing() -> None:
    with deadline.scope(None):
        assert deadline.current() is None


async def test_concurrent_tasks_have_their_own_deadlines() -> None:
    async def inner(ends: float) -> float | None:
        with deadline.scope(ends):
            await asyncio.sleep(0)
            return deadline.current()

    now = time.time()
    with deadline.scope(now + 10):
        assert list(await asyncio.gather(inner(now + 3), inner(now + 4))) == [now + 3, now + 4]
        assert deadline.current() == now + 10


async def test_in_time_waits_until_the_deadline() -> None:
    async def work() -> str:
        return "done"

    assert await deadline.in_time(work(), "ask again") == "done"
    with deadline.scope(time.time() + 10):
        assert await deadline.in_time(work(), "ask again") == "done"
    with deadline.scope(time.time() + 0.05), pytest.raises(DeadlineExceeded, match="ask again"):
        await deadline.in_time(asyncio.Event().wait(), "ask again")


async def test_without_a_deadline_in_time_waits_as_long_as_the_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadline, "GATEWAY_TIMEOUT_SECONDS", deadline.MARGIN_SECONDS + 0.05)
    with pytest.raises(DeadlineExceeded):
        await deadline.in_time(asyncio.Event().wait(), "ask again")


@pytest.mark.parametrize(
    "header", [None, "", "soon", "-1", "1.5", "1e9", "٣", "9" * 17, " 1", "1700000000000\n"]
)
def test_a_malformed_header_is_ignored(header: str | None) -> None:
    assert deadline.parse(header) is None


def test_the_next_service_gets_an_earlier_deadline() -> None:
    sent = deadline.parse(deadline.render(1_700_000_000.0))
    assert sent == 1_700_000_000.0 - deadline.HOP_SECONDS
