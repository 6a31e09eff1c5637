"""The HTTP route of the protocol. It opens no streams, so GET is answered with 405."""

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response

from api.settings import Settings
from shared import access
from shared.errors import Forbidden

if TYPE_CHECKING:
    from api.mcp.server import McpServer

router = APIRouter(tags=["mcp"])


class ForeignOrigin(Forbidden):
    """A page of another site may not call this."""

    code = "foreign_origin"


def _server(request: Request) -> "McpServer":
    # Imported at the first message: a cold start for another route does not need the tools.
    from api.mcp.server import McpServer

    settings: Settings = request.app.state.settings
    return McpServer(
        request.app.state.services, name=settings.project_name, version=settings.service_version
    )


def _require_own_origin(request: Request) -> None:
    """Refuse pages of other sites, whose host name may have been pointed at this server.

    Raises:
        ForeignOrigin: The page's origin is neither the gateway's nor in `cors_origins`.
    """
    origin = request.headers.get("origin")
    settings: Settings = request.app.state.settings
    own = urlsplit(settings.api_gateway_url)
    allowed = {f"{own.scheme}://{own.netloc}", *settings.cors_origins.split(",")}
    if origin is not None and not allowed & {origin, "*"}:
        raise ForeignOrigin("A page of this origin may not call this; see cors_origins.")


@router.post(
    "/mcp",
    # JSON-RPC has a description of its own, which `tools/list` returns.
    include_in_schema=False,
    dependencies=[Depends(_require_own_origin)],
)
async def post_mcp(request: Request) -> Response:
    """Answer a message of the Model Context Protocol."""
    may = partial(access.has, request.scope)
    return await _server(request).answer(await request.body(), request.headers, may)
