"""The request and the answer that the gateway's modules pass to each other."""

import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from local.blueprint import ApiKey
from local.traces.xray_header import TraceHeader

# Headers that concern one connection and are not forwarded: RFC 9110, section 7.6.1.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

# No integration gets these headers of a request; API Gateway sets the last five itself.
_DROPPED = _HOP_BY_HOP | {
    "content-length",
    "content-md5",
    "expect",
    "max-forwards",
    "server",
    "www-authenticate",
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
}

# API Gateway sets these headers of an answer itself and renames those of the integration.
_REMAPPED = frozenset(
    {"connection", "content-length", "date", "server", "www-authenticate", "authorization"}
    | {"x-amzn-requestid"}
)
_OWN = frozenset({"x-amz-apigw-id", "x-amzn-trace-id"})
_QUERY_SEPARATORS = re.compile("[&;]")


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """A request at the gateway.

    `raw_path` includes the stage and `path` does not; both are percent-encoded, as received. The
    names of `headers` are spelled as the client spelled them.
    `trace` is the header sent downstream. Its parent is the gateway's span, whose own parent is
    `caller_span` (empty if the trace starts here). `claims` are those of the user's token.
    """

    request_id: str
    extended_request_id: str
    method: str
    path: str
    raw_path: str
    query: str
    headers: Sequence[tuple[str, str]]
    source_ip: str
    trace: TraceHeader
    body: bytes = b""
    key: ApiKey | None = None
    claims: Mapping[str, str] | None = None
    caller_span: str = ""
    started_at: float = field(default_factory=time.time)

    def header(self, name: str) -> str | None:
        """The last value of the header `name`, which is in lower case."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), None)

    def forwarded_headers(self) -> list[tuple[str, str]]:
        """The headers that integrations get from the client."""
        return [(name, value) for name, value in self.headers if name.lower() not in _DROPPED]

    def query_items(self) -> list[tuple[str, str]]:
        """The parameters in the query. API Gateway separates them at `;` too."""
        return [
            item
            for part in _QUERY_SEPARATORS.split(self.query)
            for item in parse_qsl(part, keep_blank_values=True, separator="&")
        ]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request. `target_request_id` is the id of the Lambda invocation, if any.

    If it is streamed, `pieces` yields its body, and `seconds` is the integration's time.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    target_request_id: str = ""
    pieces: AsyncIterator[bytes] | None = None
    seconds: float = 0.0


def answer_headers(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of an integration's answer as API Gateway forwards them."""
    forwarded = []
    for name, value in headers:
        lower = name.lower()
        if lower in _OWN or (lower in _HOP_BY_HOP and lower not in _REMAPPED):
            continue
        forwarded.append((f"x-amzn-remapped-{lower}" if lower in _REMAPPED else lower, value))
    return forwarded
