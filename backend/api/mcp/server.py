"""Answers one message of the protocol, without any state between messages."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.responses import Response

from api.mcp.messages import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    Message,
    RpcError,
    error_response,
    parse,
    result_response,
)
from api.mcp.tools import TOOLS, Tool
from api.mcp.versions import HANDSHAKE, SERVER_INFO, STATELESS, is_stateless, negotiated
from api.services import Services

_LIST_MILLISECONDS: Final = 300_000
_INSTRUCTIONS: Final = (
    "Use `ask` for questions of personal finance and keep its citations. Use `search` to read the "
    "sources themselves."
)


class McpServer:
    """The tools of the API as an MCP server.

    Args:
        services: Calls the other services.
        name: The server's name, as clients show it.
        version: The release.
    """

    def __init__(self, services: Services, *, name: str, version: str) -> None:
        self._services = services
        self._info = {"name": name, "version": version}

    async def answer(
        self, body: bytes, headers: Mapping[str, str], may: Callable[[str], bool]
    ) -> Response:
        """Return the answer to a message.

        Args:
            body: The message.
            headers: The headers of the request, with lower-case names.
            may: Returns whether the caller has a scope.
        """
        message: Message | None = None
        try:
            message = parse(body)
            if message.id is None:
                return Response(status_code=202)
            stateless = is_stateless(message, headers)
            try:
                result = await self._result(message, may, stateless=stateless)
            except RpcError as error:
                if not stateless:
                    error.status = 200  # as versions with a handshake answer it
                raise
        except RpcError as error:
            return error_response(message.id if message else None, error)
        if stateless:
            result = {"resultType": "complete", **result, "_meta": {SERVER_INFO: self._info}}
        return result_response(message.id, result)

    async def _result(
        self, message: Message, may: Callable[[str], bool], *, stateless: bool
    ) -> dict[str, Any]:
        tools = {tool.name: tool for tool in TOOLS if may(tool.scope)}
        match message.method:
            case "tools/list":
                listed = {"tools": [tool.definition() for tool in tools.values()]}
                return listed | (_cached() if stateless else {})
            case "tools/call":
                return await self._called(message, tools)
            case "server/discover" if stateless:
                versions = {"supportedVersions": [*STATELESS, *HANDSHAKE]}
                return versions | self._described() | _cached()
            case "initialize" if not stateless:
                version = negotiated(message.params.get("protocolVersion"))
                return {"protocolVersion": version, "serverInfo": self._info} | self._described()
            case "ping" if not stateless:
                return {}
        raise RpcError(METHOD_NOT_FOUND, "There is no such method.", status=404)

    async def _called(self, message: Message, tools: Mapping[str, Tool]) -> dict[str, Any]:
        name, arguments = message.params.get("name"), message.params.get("arguments", {})
        tool = tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise RpcError(
                INVALID_PARAMS, f"Unknown tool; this API key may call {', '.join(tools) or 'none'}."
            )
        return await tool.result(self._services, arguments)

    def _described(self) -> dict[str, Any]:
        return {"capabilities": {"tools": {}}, "instructions": _INSTRUCTIONS}


def _cached() -> dict[str, Any]:
    # Private: which tools there are depends on the API key.
    return {"ttlMs": _LIST_MILLISECONDS, "cacheScope": "private"}
