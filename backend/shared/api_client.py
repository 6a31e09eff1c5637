"""Calls from service to service through the gateway, with this service's own key.

Errors, all of them `ServiceError`, so that one which is not caught becomes the right answer:

CallError
├── RequestRefused     the service or the gateway answered 4xx
│   ├── KeyRefused     the gateway knows neither the current nor the previous key
│   ├── Throttled      429, too fast
│   └── QuotaExceeded  429, the key's quota is used up; never retried
├── CallTimeout        no answer by the deadline or the call's own time-out
├── ServiceUnreachable no connection
└── BadAnswer          5xx, a redirect, or an answer that is too large
"""

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from shared.aws.api_keys import ApiKeyProvider, SecretsManagerKeys
from shared.errors import ServiceError
from shared.logging import request_context
from shared.request import deadline, identity
from shared.settings import BaseServiceSettings, FullServiceSettings

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS: Final = 25.0
CONNECT_TIMEOUT_SECONDS: Final = 3.0
ATTEMPTS: Final = 3
BACKOFF_SECONDS: Final = 0.1
MAX_BACKOFF_SECONDS: Final = 2.0
MAX_CONNECTIONS: Final = 100
MAX_ANSWER_BYTES: Final = 10 * 1024 * 1024  # the gateway's own limit

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_OUR_FAULT: Final = frozenset({401, 403})


class CallError(ServiceError):
    """A call to another service failed.

    Attributes:
        response: What was answered, where anything was.
        attempts: How often the call was tried.
    """

    status, code = 502, "call_failed"

    def __init__(
        self,
        detail: str,
        *,
        response: "httpx.Response | None" = None,
        retry_after: float | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.response = response
        self.retryable = retryable
        self.attempts = 1


class RequestRefused(CallError):
    """The service or the gateway refused the request.

    What the caller's own caller can mend (400, 404, 409, 413, 422) keeps its status; a refusal of
    this service's key is a fault of this estate, hence 502.
    """

    def __init__(self, detail: str, *, response: "httpx.Response", **options: Any) -> None:
        super().__init__(detail, response=response, **options)
        if type(self) is RequestRefused and response.status_code not in _OUR_FAULT:
            self.status = response.status_code
            self.code = _told(response).get("error") or "request_refused"


class KeyRefused(RequestRefused):
    """The gateway accepts neither the current nor the previous key of this service."""

    status, code = 502, "key_refused"


class Throttled(RequestRefused):
    """The gateway or the service takes no more requests just now."""

    status, code = 503, "throttled"


class QuotaExceeded(RequestRefused):
    """The quota of this service's key is used up until its period ends."""

    status, code = 503, "quota_exceeded"


class CallTimeout(CallError):
    """No answer came in time."""

    status, code = 504, "call_timeout"


class ServiceUnreachable(CallError):
    """No connection could be made, or it broke."""

    status, code = 503, "service_unreachable"


class BadAnswer(CallError):
    """The service failed, or answered what cannot be used."""

    status, code = 502, "bad_answer"


def get_service_url(service_name: str, settings: FullServiceSettings | None = None) -> str:
    """Return the URL of a service behind the gateway, its stage included."""
    return f"{(settings or FullServiceSettings()).api_gateway_url}/{service_name}"


class ServiceAPIClient:
    """Calls other services; make one for the life of the process, or use it as a context.

    A path such as `/chat/health` goes to the gateway, its stage path kept. An absolute URL is
    called as it is, and gets the key only where it is the gateway's origin. Redirects are not
    followed.

    Args:
        service_name: The service that calls, whose key is sent; `SERVICE_NAME` by default.
        settings: Where the gateway is; read from the environment by default.
        keys: Where the key comes from; Secrets Manager by default.
        transport: The `httpx` transport; the seam for tests.
        timeout_seconds: The longest that one call may take with all its attempts. The request's
            deadline, where there is one, shortens it.
        attempts: How often a call may be tried where trying again is safe.
    """

    def __init__(
        self,
        service_name: str | None = None,
        *,
        settings: FullServiceSettings | None = None,
        keys: ApiKeyProvider | None = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        attempts: int = ATTEMPTS,
    ) -> None:
        settings = settings or FullServiceSettings()
        self._base_url = settings.api_gateway_url
        # An estate without keys has no secrets either: nothing is read and nothing is sent.
        self._keys = keys
        if keys is None and settings.enable_service_api_keys:
            name = _secret_name(settings, service_name)
            self._keys = SecretsManagerKeys(name, region=settings.aws_region)
        self._transport = transport
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turns = asyncio.Semaphore(MAX_CONNECTIONS)

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
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def get(self, path: str, **options: Any) -> "httpx.Response":
        """Call with GET; options as in `request`."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> "httpx.Response":
        """Call with POST; options as in `request`."""
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> "httpx.Response":
        """Call with PUT; options as in `request`."""
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> "httpx.Response":
        """Call with PATCH; options as in `request`."""
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> "httpx.Response":
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
    ) -> "httpx.Response":
        """Call a service and return its answer, which is always a 2xx.

        Raises:
            CallError: One of its kinds, for everything else.
        """
        # Loaded by the first call to a service: a cold health check needs neither.
        import httpx
        import stamina

        method = method.upper()
        ends = time.time() + (timeout_seconds or self._timeout_seconds)
        with deadline.scope(ends):
            call = _Call(
                method,
                httpx.URL(self._absolute(path)),
                {"json": json, "content": content, "params": params},
                dict(headers or {}),
            )
            async for attempt in stamina.retry_context(
                on=_backoff, attempts=self._attempts, timeout=None
            ):
                with attempt:
                    call.attempts = attempt.num
                    return await self._send(call)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _send(self, call: "_Call") -> "httpx.Response":
        try:
            return _checked(await self._answer(call))
        except CallError as error:
            error.attempts = call.attempts
            raise

    def _absolute(self, path: str) -> str:
        if path.startswith(("http://", "https://")):
            return path
        return f"{self._base_url}/{path.lstrip('/')}"

    async def _answer(self, call: "_Call") -> "httpx.Response":
        import httpx

        if _origin(call.url) != _origin(httpx.URL(self._base_url)):
            return await self._exchange(call, call.foreign_headers())
        keys = self._keys
        if keys is None:
            return await self._exchange(call, self._headers(call, None))
        key = await _in_time(call, keys.current())
        response = await self._exchange(call, self._headers(call, key))
        if _is_key_refusal(response):
            # A rotation: read the key again, once; then the one before it, for the seconds in
            # which the gateway does not know the new one yet.
            fresh = await _in_time(call, keys.refreshed(key))
            if fresh != key:
                response = await self._exchange(call, self._headers(call, fresh))
            if _is_key_refusal(response):
                older = await _in_time(call, keys.previous())
                if older is not None and older not in {key, fresh}:
                    response = await self._exchange(call, self._headers(call, older))
        return response

    async def _exchange(self, call: "_Call", headers: dict[str, str]) -> "httpx.Response":
        import httpx

        left = deadline.remaining_seconds() or 0.0
        target = f"{call.method} {call.url.path}"
        if left <= deadline.HOP_SECONDS:
            raise CallTimeout(f"{target}: no time is left for the call.")
        client = self._open()
        request = client.build_request(call.method, call.url, headers=headers, **call.body)
        try:
            # httpx bounds each wait; only this bounds a peer that sends a byte at a time.
            async with asyncio.timeout(left), self._turns:
                response = await client.send(request, stream=True)
                try:
                    return await _read(response, target)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise CallTimeout(
                f"{target}: no answer in time.", retryable=call.method in _IDEMPOTENT
            ) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ServiceUnreachable(
                f"{target}: no connection; try again.", retryable=True, retry_after=1
            ) from error
        except httpx.TransportError as error:
            raise ServiceUnreachable(
                f"{target}: the connection broke.", retryable=call.method in _IDEMPOTENT
            ) from error

    def _open(self) -> "httpx.AsyncClient":
        # Connections belong to the event loop that opened them.
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            import httpx

            self._loop = loop
            # httpcore searches its whole queue at every turn: a thousand waiting calls took it
            # 40 s of CPU. Here they wait in line.
            self._turns = asyncio.Semaphore(MAX_CONNECTIONS)
            self._client = httpx.AsyncClient(
                transport=self._transport,
                follow_redirects=False,  # httpx would carry the key to another origin
                trust_env=False,  # a proxy or a .netrc of the machine has no business here
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # shared by all calls
                verify=_tls_context(),
                timeout=httpx.Timeout(self._timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
                limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=20),
            )
        return self._client

    def _headers(self, call: "_Call", key: str | None) -> dict[str, str]:
        headers = call.foreign_headers()
        if key is not None:
            headers["x-api-key"] = key
        headers[identity.REQUEST_ID_HEADER] = request_context.request_id()
        if (ends := deadline.current()) is not None:
            headers[deadline.HEADER] = deadline.render(ends)
        request = request_context.current()
        if request and request.xray_header:
            headers[identity.XRAY_HEADER] = request.xray_header
        return headers | _trace_headers()


class _Call:
    """One request before it is sent; sent again as it is by a retry."""

    __slots__ = ("attempts", "body", "headers", "method", "url")

    def __init__(
        self, method: str, url: "httpx.URL", body: dict[str, Any], headers: dict[str, str]
    ) -> None:
        self.attempts = 1
        self.method = method
        self.url = url
        self.body = body
        self.headers = {name.lower(): value for name, value in headers.items()}

    def foreign_headers(self) -> dict[str, str]:
        """Return what any origin may see: never the key, nor what travels inside the estate."""
        # identity: a compressed answer could unfold to more than the bound below.
        headers = {"accept": "application/json", "accept-encoding": "identity", **self.headers}
        headers.pop("x-api-key", None)
        return headers


def _trace_headers() -> dict[str, str]:
    # FastAPI has loaded the API of OpenTelemetry already; without a provider this adds nothing.
    from opentelemetry import propagate

    headers: dict[str, str] = {}
    propagate.inject(headers)
    # In lower case, so that they replace what was there instead of standing beside it.
    return {name.lower(): value for name, value in headers.items()}


async def _in_time[T](call: _Call, pending: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(deadline.remaining_seconds()):
            return await pending
    except TimeoutError as error:
        raise CallTimeout(
            f"{call.method} {call.url.path}: this service's key could not be read in time."
        ) from error


async def _read(response: "httpx.Response", target: str) -> "httpx.Response":
    import httpx

    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise BadAnswer(f"{target}: the answer is over {MAX_ANSWER_BYTES:,} bytes.")
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        # The body is here, whole and as it came.
        if name not in {"content-encoding", "transfer-encoding", "content-length"}
    ]
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=bytes(body),
        request=response.request,
        extensions={"http_version": response.extensions.get("http_version", b"HTTP/1.1")},
    )


def _checked(response: "httpx.Response") -> "httpx.Response":
    status = response.status_code
    if 200 <= status < 300:
        return response
    told = _told(response)
    target = f"{response.request.method} {response.request.url.path}"
    detail = told.get("detail") or told.get("message") or f"HTTP {status}"
    retry_after = _retry_after(response)
    if status == 429 and told.get("message") == "Limit Exceeded":
        raise QuotaExceeded(f"{target}: this service's quota is used up.", response=response)
    if status == 429:
        raise Throttled(
            f"{target}: too many requests.",
            response=response,
            retryable=True,
            retry_after=retry_after or 1,
        )
    if _is_key_refusal(response):
        raise KeyRefused(f"{target}: the gateway refuses this service's key.", response=response)
    if 400 <= status < 500:
        raise RequestRefused(detail, response=response)
    if status < 400:
        raise BadAnswer(f"{target}: redirects are not followed.", response=response)
    error = CallTimeout if status == 504 else BadAnswer
    idempotent = response.request.method in _IDEMPOTENT
    # A 500 without a code of ours is the gateway's own: a function without free concurrency.
    passing = status in {502, 503, 504} or (status == 500 and "error" not in told)
    failure = error(
        f"{target}: {detail}",
        response=response,
        retryable=status == 503 or (idempotent and passing),
        retry_after=retry_after,
    )
    if status == 503:
        failure.status, failure.code = 503, "unavailable"
    raise failure


def _backoff(error: Exception) -> bool | float:
    if not isinstance(error, CallError) or not error.retryable:
        return False
    longest = min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2**error.attempts)
    wait = random.uniform(0, longest)  # noqa: S311 - "full jitter", not a secret
    if error.response is not None:
        # Jitter on top: those who were told the same moment must not all come at it.
        wait += _retry_after(error.response) or 0.0
    left = deadline.remaining_seconds()
    # A wait that ends after the deadline helps nobody: tell the caller now.
    return wait if left is None or wait + deadline.HOP_SECONDS < left else False


def _is_key_refusal(response: "httpx.Response") -> bool:
    return (
        response.status_code == 403
        and response.headers.get("x-amzn-errortype", "").partition(":")[0] == "ForbiddenException"
    )


def _told(response: "httpx.Response") -> dict[str, str]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    return {key: value for key, value in body.items() if isinstance(value, str)}


def _retry_after(response: "httpx.Response") -> float | None:
    value = response.headers.get("retry-after", "")
    # The form with a date is not sent by anything behind the gateway.
    return float(value) if value.isascii() and value.isdigit() and len(value) < 6 else None


def _origin(url: "httpx.URL") -> tuple[str, str, int | None]:
    # As httpx reads the URL, since httpx is what sends it; a default port is None there.
    return url.scheme, url.host, url.port


def _secret_name(settings: BaseServiceSettings, service_name: str | None) -> str:
    if service_name is None:
        return settings.api_key_secret_name
    return f"{settings.project_name}/{settings.environment}/{service_name}/api-key"


_tls: ssl.SSLContext | None = None


def _tls_context() -> ssl.SSLContext:
    # One for the process: loading the certificates takes some 20 ms.
    global _tls  # noqa: PLW0603
    if _tls is None:
        import httpx

        _tls = httpx.create_ssl_context(trust_env=False)
    return _tls
