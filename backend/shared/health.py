"""Health, liveness and readiness: three paths that every service has."""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import anyio.to_thread
from fastapi import APIRouter

from shared.errors import ServiceError, Unavailable
from shared.models import HealthResponse

Check = Callable[[], Awaitable[None] | None]
"""A readiness check: raises if what it checks does not work."""

Endpoint = Callable[[], Awaitable[HealthResponse]]

CHECK_SECONDS: Final = 3.0
"""A check that takes longer has failed."""


def health_check_simple(
    service_name: str | None = None, environment: str | None = None
) -> HealthResponse:
    """Report that the service answers; names default to `SERVICE_NAME` and `ENVIRONMENT`."""
    return HealthResponse(status="healthy", **_names(service_name, environment))


def liveness_probe_simple(
    service_name: str | None = None, environment: str | None = None
) -> HealthResponse:
    """Report that the process is alive and needs no restart."""
    return HealthResponse(status="alive", **_names(service_name, environment))


def readiness_probe_simple(
    service_name: str | None = None, environment: str | None = None
) -> HealthResponse:
    """Report that the service accepts requests; it checks no dependency."""
    return HealthResponse(status="ready", **_names(service_name, environment))


def create_health_endpoint(
    service_name: str | None = None, environment: str | None = None
) -> Endpoint:
    """Return an endpoint for `/health`."""

    async def health() -> HealthResponse:
        return health_check_simple(service_name, environment)

    return health


def create_liveness_endpoint(
    service_name: str | None = None, environment: str | None = None
) -> Endpoint:
    """Return an endpoint for `/liveness`."""

    async def liveness() -> HealthResponse:
        return liveness_probe_simple(service_name, environment)

    return liveness


def create_readiness_endpoint(
    service_name: str | None = None,
    environment: str | None = None,
    *,
    checks: Mapping[str, Check] | None = None,
) -> Endpoint:
    """Return an endpoint for `/readiness` that runs all checks concurrently.

    If any fails, the endpoint raises `Unavailable` and names each failing check.
    """
    checks_by_name = dict(checks or {})

    async def readiness() -> HealthResponse:
        outcomes = await asyncio.gather(*(_failure(check) for check in checks_by_name.values()))
        failures = [
            f"{name} ({reason})"
            for name, reason in zip(checks_by_name, outcomes, strict=True)
            if reason
        ]
        if failures:
            raise Unavailable(f"Not ready. Failing checks: {', '.join(failures)}.", retry_after=5)
        return readiness_probe_simple(service_name, environment)

    return readiness


def health_router(
    service_name: str | None = None,
    environment: str | None = None,
    *,
    checks: Mapping[str, Check] | None = None,
) -> APIRouter:
    """Return a router with `/health`, `/liveness` and `/readiness`."""
    router = APIRouter(tags=["health"])
    router.get("/health", summary="Whether the service answers")(
        create_health_endpoint(service_name, environment)
    )
    router.get("/liveness", summary="Whether the process is alive")(
        create_liveness_endpoint(service_name, environment)
    )
    router.get(
        "/readiness",
        summary="Whether the service's dependencies answer",
    )(create_readiness_endpoint(service_name, environment, checks=checks))
    return router


async def _failure(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            if inspect.iscoroutinefunction(check):
                await check()
            else:
                # A thread cannot be stopped; after the timeout it is left to end by itself.
                pending = await anyio.to_thread.run_sync(check, abandon_on_cancel=True)
                if inspect.isawaitable(pending):  # a lambda or object that returns a coroutine
                    await pending
    except TimeoutError:
        return f"no answer in {CHECK_SECONDS:g} s"
    except ServiceError as error:
        return error.detail
    except Exception as error:  # noqa: BLE001 - a check may raise anything
        return type(error).__name__
    return None


def _names(service_name: str | None, environment: str | None) -> dict[str, str]:
    return {
        "service": service_name or os.environ.get("SERVICE_NAME", "unknown"),
        "environment": environment or os.environ.get("ENVIRONMENT", "unknown"),
    }
