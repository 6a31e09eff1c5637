"""Only the gateway may call: it shows a secret that nobody else knows."""

import asyncio
import hmac
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.aws.clients import aws_errors, error_code
from shared.errors import FAILURE_KEY, BadDependency, Forbidden, ServiceError, error_response
from shared.logging import get_logger

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

HEADER: Final = "x-origin-verify"
TTL_SECONDS: Final = 300.0
# The least time between two readings that a wrong value causes: callers must not set our pace.
REREAD_SECONDS: Final = 10.0

_log = get_logger(__name__)


class OriginSecret(Protocol):
    """The values that the gateway may show."""

    def read(self) -> tuple[str, ...]:
        """Return the current value and, where there is one, the previous."""


class SecretsManagerOrigin:
    """The values in Secrets Manager: the current version and the previous one."""

    def __init__(self, secret_name: str, client: "Callable[[], SecretsManagerClient]") -> None:
        self._secret_name = secret_name
        self._client = client

    def read(self) -> tuple[str, ...]:
        """Return the current value and, where there is one, the previous."""
        current = self._version("AWSCURRENT")
        if current is None:
            raise BadDependency(f"The secret {self._secret_name} is missing or has no value.")
        previous = self._version("AWSPREVIOUS")
        return (current,) if previous is None else (current, previous)

    def _version(self, stage: str) -> str | None:
        from botocore.exceptions import ClientError

        with aws_errors(f"read the secret {self._secret_name}"):
            try:
                answer = self._client().get_secret_value(
                    SecretId=self._secret_name, VersionStage=stage
                )
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return None
                raise
            return answer.get("SecretString") or None


class OriginMiddleware:
    """Answers 403 to whoever does not show the secret; `/health` is for the platform's own probe.

    The values are kept for `TTL_SECONDS`. One that is unknown causes another reading, so that a
    changed secret works at once; where Secrets Manager fails, the known values go on counting.

    Args:
        app: The application below.
        secret: Where the values come from.
        clock: Monotonic seconds.
    """

    def __init__(
        self, app: ASGIApp, *, secret: OriginSecret, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._secret = secret
        self._clock = clock
        self._values: tuple[bytes, ...] = ()
        self._read_at = 0.0
        self._tried_at: float | None = None
        self._reading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health":
            await self._app(scope, receive, send)
            return
        try:
            await self._verify(Headers(scope=scope).get(HEADER, ""))
        except ServiceError as error:
            scope[FAILURE_KEY] = error
            answer = error_response(
                error.status, error.code, error.detail, retry_after=error.retry_after
            )
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _verify(self, shown: str) -> None:
        value = shown.encode("latin-1", "replace")
        if value:
            if not self._values or self._age() > TTL_SECONDS:
                await self._reread()
            if self._knows(value):
                return
            if self._tried_at is None or self._clock() - self._tried_at > REREAD_SECONDS:
                await self._reread()
                if self._knows(value):
                    return
        raise Forbidden("This service answers through the API gateway only; call that.")

    def _knows(self, value: bytes) -> bool:
        return any(hmac.compare_digest(value, known) for known in self._values)

    async def _reread(self) -> None:
        asked_at = self._clock()
        async with self._reading:
            if self._tried_at is not None and self._tried_at >= asked_at:
                return  # somebody has read it while this caller waited
            try:
                values = await asyncio.to_thread(self._secret.read)
            except ServiceError as error:
                if not self._values:
                    raise
                _log.warning("origin_secret_stale", detail=error.detail)
            else:
                self._values = tuple(value.encode() for value in values)
                self._read_at = self._clock()
            finally:
                self._tried_at = self._clock()

    def _age(self) -> float:
        return self._clock() - self._read_at
