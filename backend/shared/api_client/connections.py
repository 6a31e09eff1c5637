"""Pooled HTTP connections: send one request, read a bounded answer."""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx

from shared.api_client.answers import is_outage
from shared.api_client.call import Call
from shared.api_client.errors import (
    BadAnswer,
    CallTimeout,
    ServiceUnreachable,
    UnsendableRequest,
)
from shared.request import deadline
from shared.request.circuit_breaker import CircuitBreaker

CONNECT_TIMEOUT_SECONDS: Final = 3.0
MAX_CONNECTIONS: Final = 100
MAX_ANSWER_BYTES: Final = 10 * 1024 * 1024  # API Gateway's limit


class ConnectionPool:
    """The connections of one client.

    Args:
        transport: The `httpx` transport; None opens real connections.
        timeout_seconds: The longest wait for a single read or write.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None, timeout_seconds: float) -> None:
        self._transport = transport
        self._timeout_seconds = timeout_seconds
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._breakers: dict[str, CircuitBreaker] = defaultdict(CircuitBreaker)

    async def aclose(self) -> None:
        """Close the connections; the next exchange opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def exchange(self, call: Call, headers: dict[str, str]) -> httpx.Response:
        """Send a request once and return the answer, whatever its status.

        Raises:
            CallTimeout: No answer by the deadline.
            ServiceUnreachable: No connection, or it broke, or the circuit breaker is open.
            BadAnswer: The answer is too large or cannot be decoded.
            UnsendableRequest: The request cannot be encoded.
        """
        async with self.stream(call, headers) as response:
            return await _read_bounded(response, call.target) if response.is_success else response

    @asynccontextmanager
    async def stream(
        self, call: Call, headers: dict[str, str], *, read_seconds: float | None = None
    ) -> AsyncIterator[httpx.Response]:
        """Send a request once, and yield the answer; the body of a success is not read yet.

        Args:
            call: The request.
            headers: Its headers.
            read_seconds: The longest wait for a part of the answer, if it is not the client's.

        Raises:
            CallError: As `exchange`; also where the block reads the body.
        """
        seconds_left = deadline.remaining_seconds() or 0.0
        if seconds_left <= deadline.HOP_SECONDS:
            raise CallTimeout(f"{call.target}: no time is left for the call.")
        breaker = self._breakers[call.callee]
        if wait := breaker.wait_seconds():
            raise ServiceUnreachable(
                f"{call.target}: not sent, because the last calls to {call.callee} failed.",
                retry_after=wait,
            )
        client = self._open_client()
        timeout = httpx.Timeout(
            read_seconds or self._timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS
        )
        try:
            request = client.build_request(
                call.method, call.url, headers=headers, timeout=timeout, **call.body
            )
        except (ValueError, TypeError, RecursionError) as error:
            # NaN, a lone surrogate, or an object that is not JSON; the message may quote it.
            raise UnsendableRequest(f"{call.target}: the request cannot be encoded.") from error
        try:
            with _call_errors(call):
                # httpx limits each wait, not the whole exchange: a server may send a byte at a
                # time.
                async with asyncio.timeout(seconds_left), self._slots:
                    sent = await client.send(request, stream=True)
                    try:
                        response = sent
                        if not sent.is_success:
                            response = await _read_bounded(sent, call.target)
                        yield response
                    finally:
                        await sent.aclose()
        except (CallTimeout, ServiceUnreachable):
            breaker.record(failed=True)
            raise
        breaker.record(failed=is_outage(response))

    def _open_client(self) -> httpx.AsyncClient:
        # Connections belong to the event loop that opened them.
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._loop = loop
            # httpcore scans its whole queue whenever a request ends: with a thousand waiting
            # calls that took 40 s of CPU. The semaphore keeps its queue empty.
            self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
            self._client = httpx.AsyncClient(
                transport=self._transport,
                follow_redirects=False,  # httpx would send the key to another origin
                trust_env=False,  # ignore the machine's proxy settings and .netrc
                # Accept no cookies: all calls share this client.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                verify=_tls_context(),
                timeout=httpx.Timeout(self._timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
                limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=20),
            )
        return self._client


@cache
def _tls_context() -> ssl.SSLContext:
    # Cached, because loading the certificates takes about 20 ms. Unlike the client above, this uses
    # a variable of the environment: SSL_CERT_FILE, which names a company's own authorities.
    return httpx.create_ssl_context()


@contextmanager
def _call_errors(call: Call) -> Iterator[None]:
    try:
        yield
    except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout) as error:
        raise CallTimeout(
            f"{call.target}: no answer in time.", retryable=call.is_repeatable
        ) from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise ServiceUnreachable(
            f"{call.target}: no connection; try again.", retryable=True, retry_after=1
        ) from error
    except httpx.TransportError as error:
        raise ServiceUnreachable(
            f"{call.target}: the connection broke.", retryable=call.is_repeatable
        ) from error
    except httpx.RequestError as error:
        raise BadAnswer(f"{call.target}: the answer cannot be decoded.") from error


async def _read_bounded(response: httpx.Response, target: str) -> httpx.Response:
    """Return a copy of the answer with its body read, at most `MAX_ANSWER_BYTES`."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise BadAnswer(f"{target}: the answer is over {MAX_ANSWER_BYTES:,} bytes.")
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        # These describe the transfer; the copy has the complete, decoded body.
        if name not in {"content-encoding", "transfer-encoding", "content-length"}
    ]
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=bytes(body),
        request=response.request,
        extensions={"http_version": response.extensions.get("http_version", b"HTTP/1.1")},
    )
