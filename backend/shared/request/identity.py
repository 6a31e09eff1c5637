"""The headers that carry a request's id and trace from hop to hop."""

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from starlette.types import Scope

REQUEST_ID_HEADER: Final = "x-request-id"
XRAY_HEADER: Final = "x-amzn-trace-id"

# Printable and short, so that an id from outside can neither forge a log line nor fill one.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:=/+-]{1,128}")
_ROOT_FIELD: Final = r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})"
_PARENT_FIELD: Final = r"Parent=([0-9a-f]{16})"
_SAMPLED_FIELD: Final = r"Sampled=([01])"
# As Lambda's runtime and the X-Ray SDKs write it: one search where any order takes three.
_XRAY: Final = re.compile(rf"{_ROOT_FIELD};{_PARENT_FIELD};{_SAMPLED_FIELD}(?:;|$)")
_ROOT, _PARENT, _SAMPLED = (
    re.compile(rf"(?:^|;)\s*{field}\s*(?:;|$)")
    for field in (_ROOT_FIELD, _PARENT_FIELD, _SAMPLED_FIELD)
)
_NO_ROOT: Final = "Root=1-00000000-000000000000000000000000"
_MAX_XRAY_CHARACTERS: Final = 512
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


class XRayHeader(NamedTuple):
    """What an X-Ray header says: the trace as 32 hexadecimal digits; a parent of 0 names none, and
    `sampled` is None where the decision is left to whoever reads it.
    """

    trace_id: str
    parent_id: int
    sampled: bool | None


def header(scope: "Scope", name: bytes) -> str | None:
    """Return the first header of a request by its name in lower case, or None."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def accept_request_id(value: str | None) -> str | None:
    """Return an id from outside if it is safe to log and to hand on."""
    return value if value and _REQUEST_ID.fullmatch(value) else None


def parse_xray(header: str | None) -> XRayHeader | None:
    """Return what an X-Ray header says, or None where it names no trace.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    if not header or len(header) > _MAX_XRAY_CHARACTERS or _NO_ROOT in header:
        return None
    if found := _XRAY.match(header):
        since, random, parent_id, decision = found.groups()
        return XRayHeader(since + random, int(parent_id, 16), decision == "1")
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
    """Return the trace id of either header as 32 hexadecimal digits; X-Ray's wins."""
    if xray is not None:
        return xray.trace_id
    if traceparent and (match := _TRACEPARENT.fullmatch(traceparent)):
        return match[1]
    return None
