"""Builds the application of the api service from its parts."""

from typing import Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from api import routes
from api.mcp import routes as mcp
from api.services import Services
from api.settings import Settings
from api.status import Status
from shared.access import KeyNames
from shared.api_client import ServiceAPIClient
from shared.app import create_service_app
from shared.request.user import Claims

CORS_HEADERS: Final = (
    *("authorization", "content-type", "idempotency-key", "x-api-key", "x-request-id"),
)
"""What a web page may send. The gateway, which answers preflight requests, has the same list."""

CORS_EXPOSED: Final = ("location", "retry-after", "x-request-id")
"""What a web page may read beside the body."""


def create_app(
    settings: Settings,
    *,
    client: ServiceAPIClient | None = None,
    key_names: KeyNames | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        settings: The service's settings.
        client: Calls the other services; by default through the gateway.
        key_names: The names of API keys; by default in SSM.
    """
    app = create_service_app(
        settings,
        title="api",
        description="The public service: questions, documents and ingestions.",
        routers=[routes.router, mcp.router],
        key_names=key_names,
        claims=Claims(settings.tenant_claim, settings.users_required),
    )
    app.state.services = Services(
        client or ServiceAPIClient(settings=settings),
        service_name=settings.service_name,
        peers=settings.peer_services.split(","),
        health_timeout_seconds=settings.health_timeout_seconds,
    )
    app.state.status = Status(settings)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins.split(","),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=CORS_HEADERS,
            expose_headers=CORS_EXPOSED,
        )
    return app
