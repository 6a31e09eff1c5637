"""The service's own API key, read from Secrets Manager and cached across invocations."""

import asyncio
import json
import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from opentelemetry import trace

from shared.aws.clients import aws_client, aws_errors
from shared.errors import BadDependency, ServiceError
from shared.logging import get_logger

_log = get_logger(__name__)

TTL_SECONDS: Final = 300.0
"""How long a key is cached. A shorter time would not help after a rotation: a refused key is read
again at once, and the previous key works until the next rotation."""


PAUSE_SECONDS: Final = 10.0
"""How long a refused key is used before Secrets Manager is asked again. Without a pause, every
request with a key that was disabled would cost two reads."""

JSON_FIELD: Final = "api_key"
"""The field of a secret that is a JSON object, such as the console stores."""


class ApiKeyProvider(Protocol):
    """Provides a client with its API key."""

    async def current(self) -> str:
        """Return the key to send."""

    async def refreshed(self, rejected: str) -> str:
        """Return the newest key, after the gateway refused `rejected`."""

    async def previous(self) -> str | None:
        """Return the key before the current one, or None."""


class SecretsManagerKeys:
    """Reads keys from Secrets Manager in a thread. Concurrent callers share one read.

    Args:
        secret_name: The secret, `{project}/{environment}/{service}/api-key`.
        region: The region of the secret; by default that of the environment.
        ttl_seconds: How long a key is cached, shortened by a random tenth at most, so that
            environments which started together do not all read at the same moment.
        client: A botocore client of Secrets Manager; by default made at the first read.
        clock: Returns monotonic seconds.

    All methods raise `Unavailable` if Secrets Manager does not answer, and `BadDependency` if it
    refuses or the secret contains no key.
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
        self._refused_at = -math.inf
        self._previous: str | None = None
        self._previous_at = -math.inf
        self._pending_reads: dict[str, asyncio.Task[str]] = {}

    async def current(self) -> str:
        """Return the cached key; read it again once it has expired.

        If that read fails, the expired key is returned: it may still be valid, and the gateway
        decides.
        """
        if self._key is not None and self._clock() - self._read_at < self._ttl_seconds:
            return self._key
        try:
            return await self._read_once("AWSCURRENT")
        except ServiceError as error:
            if self._key is None:
                raise
            _log.warning("api_key_stale", secret_name=self._secret_name, detail=error.detail)
            # Wait a tenth of the TTL before the next read: in an outage, not every request should
            # wait for a read that fails.
            self._read_at = self._clock() - self._ttl_seconds * 0.9
            return self._key

    async def refreshed(self, rejected: str) -> str:
        """Return the key read after the gateway refused `rejected`, again after a pause only."""
        if self._key is not None and (self._key != rejected or self._pauses(self._refused_at)):
            return self._key
        try:
            return await self._read_once("AWSCURRENT")
        finally:
            self._refused_at = self._clock()

    async def previous(self) -> str | None:
        """Return the version before the current one, or None; read again after a pause only."""
        if not self._pauses(self._previous_at):
            try:
                self._previous = await self._read_once("AWSPREVIOUS")
            except BadDependency:
                self._previous = None
            self._previous_at = self._clock()
        return self._previous

    def _pauses(self, since: float) -> bool:
        return self._clock() - since < PAUSE_SECONDS

    async def _read_once(self, stage: str) -> str:
        read = self._pending_reads.get(stage)
        if read is None or read.done() or read.get_loop() is not asyncio.get_running_loop():
            read = self._pending_reads[stage] = asyncio.create_task(self._read_stage(stage))
            read.add_done_callback(_retrieve_error)
        # Shielded: a caller that is cancelled must not cancel the read for the others.
        return await asyncio.shield(read)

    async def _read_stage(self, stage: str) -> str:
        with _span(stage):
            key = await asyncio.to_thread(self._read, stage)
        if stage == "AWSCURRENT":
            self._key, self._read_at = key, self._clock()
        return key

    def _read(self, stage: str) -> str:
        with aws_errors(f"read the secret {self._secret_name} ({stage})"):
            client = self._client or aws_client("secretsmanager", region=self._region)
            answer = client.get_secret_value(SecretId=self._secret_name, VersionStage=stage)
        key = _key_in(str(answer.get("SecretString") or "").strip())
        # HTTP header values are visible ASCII; anything else would fail later, less clearly.
        if not key or not (key.isascii() and key.isprintable()) or " " in key:
            raise BadDependency(
                f"The secret {self._secret_name} contains no API key; store the plain key in it, "
                f'or a JSON object with the field "{JSON_FIELD}".'
            )
        return key


def _key_in(secret: str) -> str:
    """Return the plain text, or the field of a JSON object; empty for any other JSON."""
    if not secret.startswith(("{", "[", '"')):
        return secret
    try:
        fields = json.loads(secret)
    except (ValueError, RecursionError):
        return ""
    key = fields.get(JSON_FIELD) if isinstance(fields, dict) else None
    return key if isinstance(key, str) else ""


def _retrieve_error(read: asyncio.Task[str]) -> None:
    # If every caller was cancelled, nobody else retrieves the error, and asyncio would log that.
    if not read.cancelled():
        read.exception()


@contextmanager
def _span(stage: str) -> Iterator[None]:
    """Trace a read. Of an error only the kind is recorded: its text may quote data."""
    with trace.get_tracer(__name__).start_as_current_span(
        "read API key",
        attributes={"secret.stage": stage},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Exception as error:
            span.set_status(trace.StatusCode.ERROR)
            kind = error.code if isinstance(error, ServiceError) else type(error).__qualname__
            span.set_attribute("error.type", kind)
            raise
