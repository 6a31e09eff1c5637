"""One request and one answer, as the gateway's parts hand them to each other."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from local.blueprint import ApiKey
from local.traces.xray_header import TraceHeader

# They describe one connection, not the message: RFC 9110, section 7.6.1.
HOP_BY_HOP = frozenset(
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

# API Gateway renames these in an answer, because it sets them itself.
_REMAPPED = frozenset({"content-length", "date", "server", "www-authenticate", "authorization"})


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """A request at the gateway. `path` is without the stage, `raw_path` with it; both are percent-
    encoded as received. `trace` is what is handed on, its parent the gateway's own span, which
    `caller_span` is above of (empty where the trace begins here).
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
    caller_span: str = ""
    started_at: float = field(default_factory=time.time)

    def header(self, name: str) -> str | None:
        """The last value of that header (lower case)."""
        return next((value for key, value in reversed(self.headers) if key == name), None)

    def query_items(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """`target_request_id` is the id under which a function worked on it."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    target_request_id: str = ""


def answer_headers(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The integration's headers as API Gateway lets them through."""
    passed = []
    for name, value in headers:
        lower = name.lower()
        if lower in HOP_BY_HOP:
            continue
        passed.append((f"x-amzn-remapped-{lower}" if lower in _REMAPPED else lower, value))
    return passed
