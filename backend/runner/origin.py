"""Refuses requests that bypass the API gateway, which sends a secret in a header."""

import asyncio
import hmac
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.aws.clients import aws_errors
from shared.errors import FAILURE_KEY, BadDependency, Forbidden, ServiceError
from shared.logging import get_logger
from shared.middleware import PROXIES_KEY

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

HEADER: Final = "x-origin-verify"
TTL_SECONDS: Final = 300.0
# Unknown values cause at most one read in this time: wrong requests must not flood AWS.
REREAD_SECONDS: Final = 10.0

_log = get_logger(__name__)


class OriginSecret(Protocol):
    """The values that the gateway may send."""

    def read(self) -> tuple[str, ...]:
        """Return the current value and, if there is one, the previous value."""


class SecretsManagerOrigin:
    """An `OriginSecret` in Secrets Manager: its current and its previous version."""

    def __init__(self, secret_name: str, client: "Callable[[], SecretsManagerClient]") -> None:
        self._secret_name = secret_name
        self._client = client

    def read(self) -> tuple[str, ...]:
        """Return the current value and, if there is one, the previous value."""
        current = self._version("AWSCURRENT")
        if current is None:
            raise BadDependency(f"The secret {self._secret_name} is missing or has no value.")
        previous = self._version("AWSPREVIOUS")
        return (current,) if previous is None else (current, previous)

    def _version(self, stage: str) -> str | None:
        client = self._client()
        with aws_errors(f"read the secret {self._secret_name}"):
            try:
                answer = client.get_secret_value(SecretId=self._secret_name, VersionStage=stage)
            except client.exceptions.ResourceNotFoundException:
                return None
            return answer.get("SecretString") or None


PROXIES_WITH_GATEWAY: Final = 2
"""The gateway and App Runner's proxy each append an address to X-Forwarded-For."""


class OriginMiddleware:
    """Answers 403 to requests without the secret, except to `/health`, the platform's probe.

    The values are cached for `TTL_SECONDS`. An unknown value causes another read, so that a new
    secret is accepted at once. While Secrets Manager fails, the cached values stay valid.

    Args:
        app: The application to protect.
        secret: The values to accept.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self, app: ASGIApp, *, secret: OriginSecret, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._secret = secret
        self._clock = clock
        self._values: tuple[bytes, ...] = ()
        self._values_read_at = 0.0
        self._last_attempt_at: float | None = None
        self._read_lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health":
            await self._app(scope, receive, send)
            return
        try:
            await self._verify(Headers(scope=scope).get(HEADER, ""))
        except ServiceError as error:
            scope[FAILURE_KEY] = error
            await error.to_response()(scope, receive, send)
            return
        scope[PROXIES_KEY] = PROXIES_WITH_GATEWAY
        await self._app(scope, receive, send)

    async def _verify(self, header: str) -> None:
        value = header.encode("latin-1", "replace")
        if value:
            if not self._values or self._age() > TTL_SECONDS:
                await self._reread()
            if self._accepts(value):
                return
            attempted_at = self._last_attempt_at
            if attempted_at is None or self._clock() - attempted_at > REREAD_SECONDS:
                await self._reread()
                if self._accepts(value):
                    return
        raise Forbidden("This service accepts calls through the API gateway only.")

    def _accepts(self, value: bytes) -> bool:
        return any(hmac.compare_digest(value, known) for known in self._values)

    async def _reread(self) -> None:
        started = self._clock()
        async with self._read_lock:
            if self._last_attempt_at is not None and self._last_attempt_at >= started:
                return  # another request has read it in the meantime
            try:
                values = await asyncio.to_thread(self._secret.read)
            except ServiceError as error:
                if not self._values:
                    raise
                _log.warning("origin_secret_stale", detail=error.detail)
            else:
                self._values = tuple(value.encode() for value in values)
                self._values_read_at = self._clock()
            finally:
                self._last_attempt_at = self._clock()

    def _age(self) -> float:
        return self._clock() - self._values_read_at
