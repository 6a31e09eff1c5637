"""The time by which a request and all the calls made for it must be answered."""

import asyncio
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from starlette.types import Scope

from shared.errors import DeadlineExceeded
from shared.request import identity

HEADER: Final = "x-request-deadline"
"""Request header with the deadline for the next service: Unix time in whole milliseconds."""

GATEWAY_TIMEOUT_SECONDS: Final = 29.0
"""API Gateway answers 504 when an integration takes longer."""

MARGIN_SECONDS: Final = 0.5
"""Subtracted from the gateway's timeout, so that our own error is sent before its 504."""

HOP_SECONDS: Final = 0.1
"""Subtracted for each call, so that the called service gives up before its caller does."""

_NAME: Final = HEADER.encode()

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def current() -> float | None:
    """Return the current deadline as Unix time in seconds, or None."""
    return _deadline.get()


def remaining_seconds() -> float | None:
    """Return the seconds left, never below zero, or None without a deadline."""
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - time.time())


async def in_time[R](work: Awaitable[R], detail: str) -> R:
    """Return the result of `work`, unless the deadline passes first.

    Without a deadline, wait as long as the gateway does. Needed for botocore, whose timeouts limit
    each wait for data but not a whole operation. When time is up, a thread that still waits in
    botocore is not stopped; it ends when botocore's own timeout does.

    Raises:
        DeadlineExceeded: Time is up; `detail` tells the caller what to do.
    """
    seconds_left = remaining_seconds()
    if seconds_left is None:
        seconds_left = GATEWAY_TIMEOUT_SECONDS - MARGIN_SECONDS
    try:
        async with asyncio.timeout(seconds_left):
            return await work
    except TimeoutError:
        raise DeadlineExceeded(detail) from None


@contextmanager
def scope(*candidates: float | None) -> Iterator[None]:
    """Set the deadline of a block to the earliest candidate or the current one.

    Candidates are Unix times in seconds; None is ignored.
    """
    deadlines = [one for one in (*candidates, _deadline.get()) if one is not None]
    token = _deadline.set(min(deadlines, default=None))
    try:
        yield
    finally:
        _deadline.reset(token)


def parse(header: str | None) -> float | None:
    """Return the deadline in a header; None if it is missing or malformed."""
    # Check the length first: int() of a long digit string is slow.
    if not header or len(header) > 16 or not (header.isascii() and header.isdigit()):
        return None
    return int(header) / 1000


def of(scope: Scope) -> float | None:
    """Return the deadline in a request's headers, or None."""
    return parse(identity.header(scope, _NAME))


def render(deadline: float) -> str:
    """Return the header value that gives the next service its deadline (Unix time in seconds)."""
    return str(int((deadline - HOP_SECONDS) * 1000))
