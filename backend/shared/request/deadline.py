"""The moment by which the whole call tree must have answered."""

import asyncio
import time
from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Final

from starlette.types import Scope

from shared.errors import DeadlineExceeded
from shared.request import identity

HEADER: Final = "x-request-deadline"
"""Request header that hands the deadline on: Unix time in whole milliseconds."""

GATEWAY_TIMEOUT_SECONDS: Final = 29.0
"""API Gateway ends an integration after this long and answers 504."""

MARGIN_SECONDS: Final = 0.5
"""Kept back at the entry, so that our own error arrives before the gateway's 504."""

HOP_SECONDS: Final = 0.1
"""Kept back at every hop, so that the callee gives up before its caller does."""

_NAME: Final = HEADER.encode()

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def current() -> float | None:
    """Return the deadline as Unix time in seconds, or None where there is none."""
    return _deadline.get()


def remaining_seconds() -> float | None:
    """Return the seconds left, never below zero, or None where there is no deadline."""
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - time.time())


async def in_time[R](work: Awaitable[R], detail: str) -> R:
    """Wait for work until the deadline, or as long as the gateway does where there is none.

    AWS's client bounds each silence, not a whole operation. A thread that is left behind ends at
    those bounds.

    Raises:
        DeadlineExceeded: The time is used up; `detail` tells the caller what to do.
    """
    left = remaining_seconds()
    try:
        async with asyncio.timeout(
            GATEWAY_TIMEOUT_SECONDS - MARGIN_SECONDS if left is None else left
        ):
            return await work
    except TimeoutError:
        raise DeadlineExceeded(detail) from None


class scope:  # noqa: N801 - a context manager, and one a request
    """Narrow the deadline to the earliest of the candidates (Unix time in seconds) for a block."""

    __slots__ = ("_candidates", "_token")

    def __init__(self, *candidates: float | None) -> None:
        self._candidates = candidates

    def __enter__(self) -> None:
        known = [one for one in (*self._candidates, _deadline.get()) if one is not None]
        self._token = _deadline.set(min(known) if known else None)

    def __exit__(self, *_: object) -> None:
        _deadline.reset(self._token)


def parse(header: str | None) -> float | None:
    """Return the deadline that a header carries; a malformed one counts as absent."""
    # The length is bounded first: int() of a long digit string is slow.
    if not header or len(header) > 16 or not (header.isascii() and header.isdigit()):
        return None
    return int(header) / 1000


def of(scope: Scope) -> float | None:
    """Return the deadline that a request's headers carry, or None."""
    return parse(identity.header(scope, _NAME))


def render(deadline: float) -> str:
    """Return the header that hands a deadline (Unix time in seconds) to the next hop."""
    return str(int((deadline - HOP_SECONDS) * 1000))
