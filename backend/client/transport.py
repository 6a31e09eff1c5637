"""Sends requests to the API and reads their answers."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from client.answers import error_of
from client.delivery import deliver, no_answer
from client.errors import UnexpectedAnswer
from client.events import Event, events_of

_CONNECT_SECONDS: Final = 5.0
_LOOPBACK: Final = frozenset(["127.0.0.1", "localhost", "::1"])

type Body = BaseModel | Mapping[str, Any]
type Values = Mapping[str, Any]


class Transport:
    """Sends requests to one deployment, with its API key. Redirects are not followed.

    A request is sent again if it was not carried out (no connection, throttled), and otherwise
    only if repeating it changes nothing: GET, PUT, DELETE, or a POST with an idempotency key.

    Args:
        url: The API's URL; HTTPS, unless it is on this machine.
        key: The API key.
        token: Returns the end user's token, where the deployment has users.
        timeout_seconds: The longest wait for an answer; the gateway gives up after 29 seconds.
        attempts: How many times a request is sent at most.
        transport: The `httpx` transport; tests pass their own.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        token: Callable[[], str] | None = None,
        timeout_seconds: float = 35.0,
        attempts: int = 4,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        parts = urlsplit(url)
        is_local = parts.hostname in _LOOPBACK
        if parts.scheme not in {"https", "http"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError("url must be an absolute URL without credentials")
        if parts.query or parts.fragment:
            raise ValueError("url must have no query and no fragment")
        if parts.scheme == "http" and not is_local:
            raise ValueError("url must begin with https://: the API key is secret")
        self._url = url.rstrip("/")
        self._token = token
        self._attempts = attempts
        self._http = httpx.Client(
            headers={"accept": "application/json", **({"x-api-key": key} if key else {})},
            timeout=httpx.Timeout(timeout_seconds, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            # A proxy in the environment cannot reach this machine.
            trust_env=not is_local,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @staticmethod
    def path(template: str, *values: str) -> str:
        """Return a path with its values percent-encoded.

        Raises:
            ValueError: A value would change the path: it is empty, `.` or `..`.
        """
        if any(value in {"", ".", ".."} for value in values):
            raise ValueError("an id in a path must not be empty, '.' or '..'")
        return template.format(*(quote(value, safe="") for value in values))

    def call[A](
        self,
        method: str,
        path: str,
        *,
        answer: type[A],
        body: Body | None = None,
        query: Values | None = None,
        headers: Values | None = None,
    ) -> A:
        """Send a request and return its answer's body.

        Raises:
            AdvisorError: The subclass says how it failed.
        """
        return _parsed(answer, self.send(method, path, body=body, query=query, headers=headers))

    def call_if_any[A](
        self,
        method: str,
        path: str,
        *,
        answer: type[A],
        body: Body | None = None,
        query: Values | None = None,
        headers: Values | None = None,
    ) -> A | None:
        """Send a request and return its answer's body; None for an answer without one.

        Raises:
            AdvisorError: The subclass says how it failed.
        """
        response = self.send(method, path, body=body, query=query, headers=headers)
        return _parsed(answer, response) if response.content else None

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        query: Values | None = None,
        headers: Values | None = None,
    ) -> httpx.Response:
        """Send a request and return its answer, which is a 2xx.

        Raises:
            AdvisorError: The subclass says how it failed.
        """
        request = self._request(method, path, body, query, headers)
        return deliver(self._http, request, self._attempts)

    def events(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        query: Values | None = None,
        headers: Values | None = None,
    ) -> Iterator[Event]:
        """Send a request once, and yield the events of its answer as they arrive.

        Raises:
            AdvisorError: The subclass says how it failed; also in the middle of the stream.
        """
        request = self._request(method, path, body, query, headers)
        request.headers["accept"] = "text/event-stream"
        try:
            response = self._http.send(request, stream=True)
            try:
                if not response.is_success:
                    response.read()
                    raise error_of(response)
                yield from events_of(response.iter_lines())
            finally:
                response.close()
        except httpx.TransportError as error:
            raise no_answer(error, request.url.host) from error

    def _request(
        self,
        method: str,
        path: str,
        body: Body | None,
        query: Values | None,
        headers: Values | None,
    ) -> httpx.Request:
        sent = {name: str(one) for name, one in (headers or {}).items() if one is not None}
        content = None
        if isinstance(body, BaseModel):
            content = body.model_dump_json(exclude_unset=True).encode()
        elif body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent["content-type"] = "application/json"
        if self._token is not None:
            sent["authorization"] = self._token()
        return self._http.build_request(
            method,
            f"{self._url}{path}",
            content=content,
            params={name: one for name, one in (query or {}).items() if one is not None},
            headers=sent,
        )


def _parsed[A](answer: type[A], response: httpx.Response) -> A:
    try:
        return TypeAdapter(answer).validate_json(response.content)
    except ValidationError as error:
        request = response.request
        raise UnexpectedAnswer(
            f"the answer to {request.method} {request.url.path} is not what this version of the "
            f"client expects ({error.error_count()} problems)"
        ) from error
