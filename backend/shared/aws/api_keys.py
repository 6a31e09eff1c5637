"""The service's own API key, read from Secrets Manager once and kept across invocations."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from opentelemetry import trace

from shared.aws.clients import aws_client, aws_errors
from shared.errors import BadDependency, ServiceError
from shared.logging import get_logger

_log = get_logger(__name__)

TTL_SECONDS: Final = 300.0
"""How long a key is used before it is read again. A rotation needs no shorter one: a rejected key
is read again at once, and the previous key goes on working until the next rotation."""


class ApiKeyProvider(Protocol):
    """Where a client gets its key from."""

    async def current(self) -> str:
        """Return the key to send."""

    async def refreshed(self, rejected: str) -> str:
        """Return the key that is current after the gateway refused another one."""

    async def previous(self) -> str | None:
        """Return the key before the current one, or None where there is none."""


class SecretsManagerKeys:
    """Keys from Secrets Manager: read in a thread, by one caller for all that wait.

    Args:
        secret_name: The secret, `{project}/{environment}/{service}/api-key`.
        region: The region of the secret, the environment's where it is not given.
        ttl_seconds: How long a key is kept; spread by a tenth so that environments which started
            together do not read together.
        client: A boto3 Secrets Manager client; made at the first read where it is not given.
        clock: Monotonic seconds.

    All methods raise `Unavailable` where Secrets Manager does not answer, and `BadDependency`
    where it refuses or holds no key.
    """

    def __init__(
        self,
        secret_name: str,
        *,
        region: str | None = None,
        ttl_seconds: float = TTL_SECONDS,
        client: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secret_name = secret_name
        self._region = region
        self._ttl_seconds = ttl_seconds * random.uniform(0.9, 1.0)  # noqa: S311 - not a secret
        self._client = client
        self._clock = clock
        self._key: str | None = None
        self._read_at = 0.0
        self._flights: dict[str, asyncio.Task[str]] = {}

    async def current(self) -> str:
        """Return the cached key, read anew when its time is up.

        Where that fails and an older key is known, the older one is returned: the gateway is the
        judge of whether it still works.
        """
        if self._key is not None and self._clock() - self._read_at < self._ttl_seconds:
            return self._key
        try:
            return await self._read_once("AWSCURRENT")
        except ServiceError as error:
            if self._key is None:
                raise
            _log.warning("api_key_stale", secret_name=self._secret_name, detail=error.detail)
            # Not before another tenth of the time: an outage must not cost every request a wait.
            self._read_at = self._clock() - self._ttl_seconds * 0.9
            return self._key

    async def refreshed(self, rejected: str) -> str:
        """Return the key read after the gateway refused `rejected`."""
        if self._key is not None and self._key != rejected:
            return self._key  # another caller has read it since
        return await self._read_once("AWSCURRENT")

    async def previous(self) -> str | None:
        """Return the version before the current one; it is not cached."""
        try:
            return await self._read_once("AWSPREVIOUS")
        except BadDependency:
            return None

    async def _read_once(self, stage: str) -> str:
        flight = self._flights.get(stage)
        if flight is None or flight.done() or flight.get_loop() is not asyncio.get_running_loop():
            flight = self._flights[stage] = asyncio.create_task(self._read_stage(stage))
            flight.add_done_callback(_seen)
        # Shielded: a caller that gives up must not take the answer from those that still wait.
        return await asyncio.shield(flight)

    async def _read_stage(self, stage: str) -> str:
        # The first one loads boto3 too, which is where the time of a cold call goes.
        with trace.get_tracer("fin-advisor").start_as_current_span(
            "read API key", attributes={"secret.stage": stage}, record_exception=False
        ):
            key = await asyncio.to_thread(self._read, stage)
        if stage == "AWSCURRENT":
            self._key, self._read_at = key, self._clock()
        return key

    def _read(self, stage: str) -> str:
        with aws_errors(f"read the secret {self._secret_name} ({stage})"):
            client = self._client or aws_client("secretsmanager", region=self._region)
            answer = client.get_secret_value(SecretId=self._secret_name, VersionStage=stage)
        key = str(answer.get("SecretString") or "").strip()
        # Header values are visible ASCII; anything else would fail later and less clearly.
        if not key or not (key.isascii() and key.isprintable()) or " " in key:
            raise BadDependency(
                f"The secret {self._secret_name} holds no API key; it must be the plain key."
            )
        return key


def _seen(flight: asyncio.Task[str]) -> None:
    # Where all callers have given up, nobody else asks for the error, and asyncio would complain.
    if not flight.cancelled():
        flight.exception()
