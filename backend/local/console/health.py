"""The health checks of all services, through the gateway."""

import asyncio
import time

from local.blueprint import SERVICES
from local.console.gateway_client import GatewayClient, GatewayError
from local.console.models import Health


class HealthChecks:
    """Calls `/health` of each service."""

    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway

    async def check(self) -> list[Health]:
        return await asyncio.gather(*map(self._check_one, SERVICES))

    async def _check_one(self, service: str) -> Health:
        began = time.perf_counter()
        status: int | None = 200
        try:
            await self._gateway.call("GET", f"/{service}/health", traced=False)
        except GatewayError as error:
            status = error.status
        return Health(
            service=service,
            healthy=status == 200,
            status=status,
            duration_ms=round((time.perf_counter() - began) * 1000, 1),
        )
