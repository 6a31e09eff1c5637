"""The client that services use to call each other."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property, partial
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote

import httpx
import stamina

from shared.api_client.answers import is_key_refusal
from shared.api_client.call import Call, has_same_origin
from shared.api_client.connections import ConnectionPool
from shared.api_client.errors import CallError, CallTimeout, UnsendableRequest
from shared.api_client.outcome import require_success
from shared.api_client.retries import ATTEMPTS, RetryBudget
from shared.aws.api_keys import ApiKeyProvider, SecretsManagerKeys
from shared.request import deadline
from shared.settings import BaseServiceSettings, FullServiceSettings

TIMEOUT_SECONDS: Final = 25.0


def get_service_url(service_name: str, settings: FullServiceSettings | None = None) -> str:
    """Return the URL of a service behind the gateway, including the stage."""
    return f"{(settings or FullServiceSettings()).api_gateway_url}/{service_name}"


class ServiceAPIClient:
    """Calls other services. Make one for the life of the process, or use it as a context manager.

    A path such as `/chat/health` is appended to the gateway's URL, which ends in the stage. An
    absolute URL is called as it is, and gets the key only if it has the gateway's origin.
    Redirects are not followed.

    Args:
        service_name: The calling service, whose key is sent; by default `SERVICE_NAME`.
        settings: Where the gateway is; by default read from the environment.
        keys: Where the key comes from; by default Secrets Manager.
        transport: The `httpx` transport; tests pass their own.
        timeout_seconds: The longest that one call may take with all its attempts. A deadline of
            the current request shortens it.
        attempts: How many times a request is sent at most, if sending it again is safe.
    """

    def __init__(
        self,
        service_name: str | None = None,
        *,
        settings: FullServiceSettings | None = None,
        keys: ApiKeyProvider | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        attempts: int = ATTEMPTS,
    ) -> None:
        settings = settings or FullServiceSettings()
        self._base_url = settings.api_gateway_url
        self._keys = keys
        # If the gateway requires no API keys, no secret exists.
        if keys is None and settings.enable_service_api_keys:
            name = _secret_name(settings, service_name)
            self._keys = SecretsManagerKeys(name, region=settings.aws_region)
        self._timeout_seconds = timeout_seconds
        self._stream_seconds = settings.stream_timeout_seconds
        self._budgets: dict[str, RetryBudget] = defaultdict(partial(RetryBudget, attempts))
        self._pool = ConnectionPool(transport, timeout_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the pooled connections; the next call opens new ones."""
        await self._pool.aclose()

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """Call with GET; options as in `request`."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        """Call with POST; options as in `request`."""
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> httpx.Response:
        """Call with PUT; options as in `request`."""
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> httpx.Response:
        """Call with PATCH; options as in `request`."""
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        """Call with DELETE; options as in `request`."""
        return await self.request("DELETE", path, **options)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> httpx.Response:
        """Call a service and return its answer, which is always a 2xx.

        Raises:
            CallError: The call failed; the subclass says how.
        """
        with deadline.scope(time.time() + (timeout_seconds or self._timeout_seconds)):
            body = {"json": json, "content": content, "params": params}
            call = self._call(method, path, body, headers)
            return await self._with_retries(call, partial(self._send, call))

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Call a service, and yield the pieces of its answer as they come; it is always a 2xx.

        Args:
            method: The HTTP method.
            path: As for `request`.
            json: The body.
            headers: More headers.
            timeout_seconds: The longest time from the call to the end of its answer; by default
                the setting `stream_timeout_seconds`.

        Raises:
            CallError: The call failed, or its answer broke off, which is raised in the block.
        """
        seconds = timeout_seconds or self._stream_seconds
        with deadline.scope(time.time() + seconds):
            call = self._call(method, path, {"json": json}, headers)
            async with AsyncExitStack() as stack:
                opened = partial(self._open, call, stack, seconds)
                response = await self._with_retries(call, opened)
                yield response.aiter_bytes()

    def _call(
        self, method: str, path: str, body: dict[str, Any], headers: Mapping[str, str] | None
    ) -> Call:
        url, callee = self._resolve(path)
        own = {name.lower(): value for name, value in (headers or {}).items()}
        return Call(method.upper(), url, callee, body, own)

    async def _with_retries(
        self, call: Call, send: Callable[[], Awaitable[httpx.Response]]
    ) -> httpx.Response:
        budget = self._budgets[call.callee]
        budget.count_call()
        async for attempt in stamina.retry_context(
            on=budget.wait_before_retry, attempts=budget.attempts, timeout=None
        ):
            with attempt:
                try:
                    return require_success(await send())
                except CallError as error:
                    error.attempts = attempt.num
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    @cached_property
    def _stage(self) -> httpx.URL:
        return httpx.URL(self._base_url)

    def _resolve(self, path: str) -> tuple[httpx.URL, str]:
        """Return the URL, and the name of the service behind the gateway or another host's origin.

        Raises:
            UnsendableRequest: It is no URL, or it has segments that leave the stage.
        """
        is_absolute = path.startswith(("http://", "https://"))
        try:
            url = httpx.URL(path if is_absolute else f"{self._base_url}/{path.lstrip('/')}")
            stage = self._stage
        except (httpx.InvalidURL, ValueError) as error:
            raise UnsendableRequest(f"{ascii(path)[:200]} is not a path or a URL.") from error
        if not has_same_origin(url, stage):
            return url, f"{url.scheme}://{url.netloc.decode()}"
        # httpx has resolved `..`; a server may decode its percent-encoded forms, even twice.
        segments = unquote(unquote(path.partition("?")[0])).replace("\\", "/").split("/")
        if ".." in segments or "." in segments:
            raise UnsendableRequest(f"{ascii(path)[:200]} must not have the segments '.' and '..'.")
        return url, url.path.removeprefix(f"{stage.path.rstrip('/')}/").partition("/")[0]

    async def _send(self, call: Call) -> httpx.Response:
        """Send one attempt, with the next key if the gateway refuses one."""
        async for headers in self._headers(call):
            response = await self._pool.exchange(call, headers)
            if not is_key_refusal(response):
                break
        return response

    async def _open(self, call: Call, stack: AsyncExitStack, read_seconds: float) -> httpx.Response:
        """Send one attempt as `_send` does; a success stays open until the stack is closed."""
        async for headers in self._headers(call):
            async with AsyncExitStack() as opened:
                response = await opened.enter_async_context(
                    self._pool.stream(call, headers, read_seconds=read_seconds)
                )
                if response.is_success:
                    stack.push_async_exit(opened.pop_all())
            if not is_key_refusal(response):
                break
        return response

    async def _headers(self, call: Call) -> AsyncIterator[dict[str, str]]:
        """Yield the headers with each key to try: the current, the newest and the previous one."""
        if not has_same_origin(call.url, self._stage):
            yield call.foreign_headers()
            return
        keys = self._keys
        if keys is None:
            yield call.gateway_headers(None)
            return
        key = await _before_deadline(call, keys.current())
        yield call.gateway_headers(key)
        # The key may have been rotated since it was read.
        fresh = await _before_deadline(call, keys.refreshed(key))
        if fresh != key:
            yield call.gateway_headers(fresh)
        # For some seconds after a rotation the gateway accepts only the previous key.
        previous = await _before_deadline(call, keys.previous())
        if previous is not None and previous not in {key, fresh}:
            yield call.gateway_headers(previous)


async def _before_deadline[T](call: Call, key: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(deadline.remaining_seconds()):
            return await key
    except TimeoutError as error:
        raise CallTimeout(
            f"{call.target}: this service's key could not be read in time."
        ) from error


def _secret_name(settings: BaseServiceSettings, service_name: str | None) -> str:
    if service_name is None:
        return settings.api_key_secret_name
    return f"{settings.project_name}/{settings.environment}/{service_name}/api-key"
