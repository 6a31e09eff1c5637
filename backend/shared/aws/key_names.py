"""The names of API keys by their ids, read from SSM and cached across invocations."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from shared.aws.clients import aws_errors
from shared.errors import BadDependency, ServiceError, Unavailable
from shared.logging import get_logger

TTL_SECONDS: Final = 300.0
# Unknown ids cause at most one read in this time: wrong requests must not flood AWS.
REREAD_SECONDS: Final = 10.0

_IDS: Final = TypeAdapter(dict[str, list[str]])
_log = get_logger(__name__)


class ParameterKeyNames:
    """Reads a JSON object of lists of ids by name: `{"client": ["abc123"]}`.

    A rotated key has several ids. An unknown id causes another read, because a rotation may have
    just added it. Concurrent callers share one read. While SSM fails, known ids stay valid, since
    an id never gets another name; an unknown id is refused with `Unavailable`.

    Args:
        parameter: The parameter, `/{project}/{environment}/api-key-ids`.
        client: Returns the SSM client.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self,
        parameter: str,
        client: Callable[[], Any],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parameter = parameter
        self._client = client
        self._clock = clock
        self._names: dict[str, str] = {}
        self._failure: ServiceError | None = None
        # Times of the clock: of the last good read, the last attempt, the last failure and the last
        # read for an unknown id.
        self._read_at = self._attempted_at = self._failed_at = self._searched_at = -math.inf
        self._lock = asyncio.Lock()

    async def name_of(self, key_id: str) -> str | None:
        """Return the name of the key with an id, or None.

        Raises:
            Unavailable: The id is unknown, and the parameter cannot be read.
        """
        now = self._clock()
        if now - self._read_at >= TTL_SECONDS and now - self._failed_at >= REREAD_SECONDS:
            await self._read_since(now)
        if key_id not in self._names and now - self._searched_at >= REREAD_SECONDS:
            self._searched_at = now
            await self._read_since(now)
        name = self._names.get(key_id)
        if name is None and self._failure is not None:
            raise Unavailable(
                "The scopes of API keys cannot be checked at the moment; try again.",
                retry_after=REREAD_SECONDS,
            ) from self._failure
        return name

    async def _read_since(self, started: float) -> None:
        """Read the parameter, unless another request has tried that since `started`."""
        async with self._lock:
            if self._attempted_at >= started:
                return
            try:
                self._names = await asyncio.to_thread(self._read)
            except ServiceError as error:
                self._failure = error
                self._failed_at = self._clock()
                _log.error("key_names_unreadable", parameter=self._parameter, detail=error.detail)
            else:
                self._failure = None
                self._read_at = self._clock()
            finally:
                self._attempted_at = self._clock()

    def _read(self) -> dict[str, str]:
        with aws_errors(f"read the parameter {self._parameter}"):
            answer = self._client().get_parameter(Name=self._parameter)
        try:
            ids = _IDS.validate_json(answer["Parameter"].get("Value", ""))
        except ValidationError as error:
            raise BadDependency(
                f"The parameter {self._parameter} is not a JSON object of lists of key ids by name."
            ) from error
        return {one: name for name, each in ids.items() for one in each}
