"""One call to a service: the request, and its headers for the gateway and for other hosts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
from opentelemetry import propagate

from shared.logging import request_context
from shared.request import deadline, identity, user

IDEMPOTENCY_HEADER: Final = "idempotency-key"

_IDEMPOTENT_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


def is_repeatable(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a request that may have been carried out can be sent again."""
    return method in _IDEMPOTENT_METHODS or IDEMPOTENCY_HEADER in headers


def has_same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Return whether scheme, host and port are the same, as httpx reads both."""
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


@dataclass(slots=True)
class Call:
    """A request before it is sent; every attempt sends the same content.

    Attributes:
        callee: The service behind the gateway, such as `chat`, or the origin of another host.
        body: The arguments of `httpx` that make the body and the query.
        headers: The caller's own headers, names in lower case.
    """

    method: str
    url: httpx.URL
    callee: str
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def target(self) -> str:
        """Method and path, for error messages."""
        return f"{self.method} {self.url.path}"

    @property
    def is_repeatable(self) -> bool:
        """Whether it can be sent again although it may have been carried out."""
        return is_repeatable(self.method, self.headers)

    def foreign_headers(self) -> dict[str, str]:
        """Return the headers for hosts other than the gateway: no key, no ids, no deadline."""
        # `identity` asks for no compression: a small answer could expand beyond the size limit.
        headers = {"accept": "application/json", "accept-encoding": "identity", **self.headers}
        headers.pop("x-api-key", None)
        return headers

    def gateway_headers(self, key: str | None) -> dict[str, str]:
        """Return the headers for the gateway: key, user, and the request's ids and deadline."""
        headers = self.foreign_headers()
        if key is not None:
            headers["x-api-key"] = key
        if (acting_for := user.current()) is not None:
            headers |= acting_for.headers()
        headers[identity.REQUEST_ID_HEADER] = request_context.request_id()
        if (ends := deadline.current()) is not None:
            headers[deadline.HEADER] = deadline.render(ends)
        request = request_context.current()
        if request and request.xray_header:
            headers[identity.XRAY_HEADER] = request.xray_header
        trace_headers: dict[str, str] = {}
        propagate.inject(trace_headers)  # adds nothing without a tracer
        # In lower case, so that they replace the caller's own and the header set above.
        return headers | {name.lower(): value for name, value in trace_headers.items()}
