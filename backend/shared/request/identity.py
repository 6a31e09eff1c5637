"""The headers that carry a request's id and trace from service to service."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from starlette.types import Scope

REQUEST_ID_HEADER: Final = "x-request-id"
XRAY_HEADER: Final = "x-amzn-trace-id"

# Short and free of quotes and spaces: an id from outside must not forge or flood log lines.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:=/+-]{1,128}")
_ROOT, _PARENT, _SAMPLED = (
    re.compile(rf"(?:^|;)\s*{field}\s*(?:;|$)")
    for field in (
        r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})",
        r"Parent=([0-9a-f]{16})",
        r"Sampled=([01])",
    )
)
_NO_ROOT: Final = "Root=1-00000000-000000000000000000000000"
_MAX_XRAY_CHARACTERS: Final = 512
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


class XRayHeader(NamedTuple):
    """The fields of an X-Ray header.

    `trace_id` has 32 hexadecimal digits. `parent_id` is 0 without a parent. `sampled` is None if
    the receiver decides.
    """

    trace_id: str
    parent_id: int
    sampled: bool | None


def header(scope: "Scope", name: bytes) -> str | None:
    """Return the first header of a request with this lower-case name, or None."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


def gateway_context(scope: "Scope") -> Mapping[str, Any]:
    """Return the `requestContext` of API Gateway's event; empty for a request without an event."""
    return (scope.get("aws.event") or {}).get("requestContext") or {}


def route_path(scope: "Scope") -> str:
    """Return the path without the gateway's prefix, as the routes are declared."""
    path: str = scope["path"]
    prefix = scope.get("root_path", "")
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        return path[len(prefix) :] or "/"
    return path


def accept_request_id(value: str | None) -> str | None:
    """Return a request id from outside if it is safe to log and to send on, otherwise None."""
    return value if value and _REQUEST_ID.fullmatch(value) else None


def parse_xray(header: str | None) -> XRayHeader | None:
    """Return the fields of an X-Ray header, or None if it has no valid trace id.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    if not header or len(header) > _MAX_XRAY_CHARACTERS or _NO_ROOT in header:
        return None
    root = _ROOT.search(header)
    if root is None:
        return None
    parent, sampled = _PARENT.search(header), _SAMPLED.search(header)
    return XRayHeader(
        root[1] + root[2],
        int(parent[1], 16) if parent else 0,
        sampled[1] == "1" if sampled else None,
    )


def trace_id_of(xray: XRayHeader | None, traceparent: str | None = None) -> str | None:
    """Return the trace id as 32 hexadecimal digits, from the X-Ray header if it has one."""
    if xray is not None:
        return xray.trace_id
    if traceparent and (match := _TRACEPARENT.fullmatch(traceparent)):
        return match[1]
    return None
