"""The protocol's versions, and the checks of a request's metadata.

Since 2026-07-28, each request states its version in its metadata and mirrors fields in headers;
earlier versions begin with `initialize`. Both are served without sessions.

https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
"""

import base64
from collections.abc import Mapping
from typing import Any, Final

from api.mcp.messages import INVALID_PARAMS, Message, RpcError

STATELESS: Final = ("2026-07-28",)
HANDSHAKE: Final = ("2025-11-25", "2025-06-18")
"""Newest first. Earlier ones require batches."""

HEADER_MISMATCH: Final = -32020
UNSUPPORTED_VERSION: Final = -32022

_PREFIX: Final = "io.modelcontextprotocol/"
_VERSION: Final = f"{_PREFIX}protocolVersion"
_CAPABILITIES: Final = f"{_PREFIX}clientCapabilities"
SERVER_INFO: Final = f"{_PREFIX}serverInfo"

_VERSION_HEADER: Final = "mcp-protocol-version"
_ENCODED: Final = "=?base64?"


def is_stateless(message: Message, headers: Mapping[str, str]) -> bool:
    """Return whether a request is of a version without a handshake.

    Raises:
        RpcError: The version is not supported, or metadata and headers are incomplete or differ.
    """
    version, named = message.meta.get(_VERSION), headers.get(_VERSION_HEADER)
    if version is None:
        if named is None or named in HANDSHAKE or message.method == "initialize":
            return False
        if named in STATELESS:
            raise RpcError(INVALID_PARAMS, f"params._meta lacks {_VERSION}.")
        raise _unsupported(named)
    _require_same("MCP-Protocol-Version", named, version)
    if version not in STATELESS:
        raise _unsupported(version)
    if not isinstance(message.meta.get(_CAPABILITIES), dict):
        raise RpcError(INVALID_PARAMS, f"params._meta lacks {_CAPABILITIES}, an object.")
    _require_same("Mcp-Method", headers.get("mcp-method"), message.method)
    if message.method == "tools/call":
        _require_same("Mcp-Name", _decoded(headers.get("mcp-name")), message.params.get("name"))
    return True


def negotiated(asked: Any) -> str:
    """Return the version for a client that begins with `initialize`: its own if possible."""
    return asked if asked in HANDSHAKE else HANDSHAKE[0]


def _require_same(header: str, value: str | None, expected: Any) -> None:
    if value != expected:
        raise RpcError(
            HEADER_MISMATCH, f"Header mismatch: {header} must be what the body of the request says."
        )


def _decoded(value: str | None) -> str | None:
    """Return a header that is base64 if its value does not fit into a header."""
    if value is None or not (value.startswith(_ENCODED) and value.endswith("?=")):
        return value
    try:
        return base64.b64decode(value[len(_ENCODED) : -2], validate=True).decode()
    except ValueError:
        return None


def _unsupported(version: Any) -> RpcError:
    return RpcError(
        UNSUPPORTED_VERSION,
        "Unsupported protocol version",
        data={"supported": [*STATELESS, *HANDSHAKE], "requested": str(version)[:64]},
    )
