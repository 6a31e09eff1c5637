"""Creates the FastAPI application of a service, with the middleware that all services share."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from shared import tracing
from shared.access import AccessMiddleware, KeyIdOf, KeyNames, event_key_id
from shared.aws.clients import aws_client
from shared.aws.key_names import ParameterKeyNames
from shared.description.document import DescribedApp
from shared.errors import ErrorMiddleware, install_error_handlers
from shared.health import Check, health_router
from shared.logging import configure_logging
from shared.middleware import LoggingMiddleware
from shared.request import deadline
from shared.request.body_limit import BodyLimitMiddleware
from shared.request.equivalents import EquivalentRequests
from shared.request.user import Claims
from shared.settings import FullServiceSettings
from shared.telemetry.metrics import ServiceMetrics
from shared.users import UserMiddleware

MAX_BODY_BYTES: Final = 6 * 1024 * 1024
"""Lambda's own limit. The runner has the same one, so that a service can move between them."""

_TEXT_TYPES: Final = ("text/", "application/json")


def create_service_app(
    settings: FullServiceSettings,
    *,
    title: str,
    description: str,
    routers: Iterable[APIRouter] = (),
    readiness_checks: Mapping[str, Check] | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    trusted_proxies: int = 0,
    middleware: Sequence[Middleware] = (),
    key_names: KeyNames | None = None,
    key_id: KeyIdOf = event_key_id,
    claims: Claims | None = None,
) -> FastAPI:
    """Return an application with logging, tracing, errors and health in place.

    Args:
        settings: The service's settings; kept as `app.state.settings`.
        title: The name in the OpenAPI document.
        description: One paragraph for the OpenAPI document.
        routers: The service's routes. Their own lifespans are not run: pass `lifespan`.
        readiness_checks: Checks of the service's dependencies, by name.
        lifespan: Runs at start and stop under uvicorn; Lambda does not run it.
        max_body_bytes: The largest body that is read.
        trusted_proxies: How many proxies in front of the service append to `X-Forwarded-For`.
        middleware: The service's own, the outermost first. It runs after the shared logging and
            before the check of the API key's scopes.
        key_names: The names of API keys; by default in SSM.
        key_id: Returns the id of a request's API key; by default from API Gateway's event.
        claims: Where the user is in API Gateway's event, for a service that end users call; others
            learn the user from the service that calls them.

    Raises:
        TypeError: A route declares an answer other than JSON and text.
    """
    configure_logging(
        log_level=settings.log_level,
        service_name=settings.service_name,
        environment=settings.environment,
    )
    app = DescribedApp(
        needs_key=settings.enable_service_api_keys,
        has_users=claims is not None,
        needs_user=claims is not None and claims.required,
        title=title,
        description=description,
        version=settings.service_version,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
        # FastAPI's own telemetry makes four spans a request; ours makes one.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    tracing.release_app(app)
    app.state.settings = settings
    routers = list(routers)
    _require_text(routers)
    health = health_router(settings.service_name, settings.environment, checks=readiness_checks)
    for router in (health, *routers):
        app.include_router(router)
    install_error_handlers(app)
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimitMiddleware, max_bytes=max_body_bytes)
    app.add_middleware(
        UserMiddleware,
        forwarders=frozenset(settings.key_scopes.forwards_identity),
        claims=claims,
    )
    if settings.enable_service_api_keys:
        ssm = partial(aws_client, "ssm", region=settings.aws_region)
        app.add_middleware(
            AccessMiddleware,
            service=settings.service_name,
            scopes=settings.key_scopes,
            names=key_names or ParameterKeyNames(settings.api_key_ids_parameter, ssm),
            key_id=key_id,
        )
    # Outside the check of scopes, which compares the method and the path that will be served.
    app.add_middleware(EquivalentRequests)
    app.user_middleware[:0] = middleware
    app.add_middleware(_DeadlineMiddleware)
    app.add_middleware(ErrorMiddleware)
    app.add_middleware(
        LoggingMiddleware,
        trusted_proxies=trusted_proxies,
        metrics=ServiceMetrics(settings.project_name, settings.environment, settings.service_name),
    )
    if settings.enable_tracing:
        tracing.configure_tracing(
            service_name=settings.service_name,
            environment=settings.environment,
            otlp_endpoint=settings.otlp_endpoint,
        )
        tracing.instrument_app(app)
    return app


def _require_text(routers: Iterable[APIRouter]) -> None:
    """Raise if a route declares an answer that a function cannot send.

    A function returns other bodies as base64, which API Gateway decodes only for the types in
    `binary_media_types`; this project's gateway has none.
    """
    for route in (route for router in routers for route in router.routes):
        if not isinstance(route, APIRoute):
            continue
        contents = [answer.get("content", {}) for answer in route.responses.values()]
        declared = {name for content in contents for name in content}
        declared.add(getattr(route.response_class, "media_type", None) or "")
        for media_type in declared:
            if media_type and not media_type.startswith(_TEXT_TYPES):
                raise TypeError(
                    f"{route.path} answers {media_type}: behind the gateway a route can answer "
                    "JSON and text only. Answer with the URL of an S3 object instead."
                )


class _DeadlineMiddleware:
    """Applies the deadline in the request's header. On Lambda, the entry point does this."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "aws.event" in scope or "headers" not in scope:  # lifespan events have no headers
            await self._app(scope, receive, send)
            return
        with deadline.scope(deadline.of(scope)):
            await self._app(scope, receive, send)
