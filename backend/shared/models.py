"""Bodies that every service answers with."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.logging import timestamp
from shared.logging.request_context import request_id


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ErrorResponse(_Body):
    """What went wrong, under a stable code, and what the caller can do about it."""

    error: Annotated[str, Field(description="Stable code.", examples=["not_found"])]
    detail: Annotated[str, Field(description="What happened, and what to do.")]
    timestamp: str = Field(default_factory=timestamp, description="ISO 8601, UTC.")
    request_id: str = Field(default_factory=request_id, description="Also in every log line.")


class HealthResponse(_Body):
    """The service answers."""

    status: Literal["healthy", "alive", "ready"]
    service: str
    environment: str
    timestamp: str = Field(default_factory=timestamp)


class StatusResponse(_Body):
    """What is running, and since when."""

    service: str
    environment: str
    version: str
    region: str
    tracing: bool
    uptime_seconds: Annotated[float, Field(ge=0)]
    timestamp: str = Field(default_factory=timestamp)


class ServiceInfo(_Body):
    """One service as another one sees it through the gateway."""

    service: str
    healthy: bool
    status: Annotated[int | None, Field(description="HTTP status, null where none came.")] = None
    duration: Annotated[float, Field(ge=0, description="Seconds.")]
    error: Annotated[str | None, Field(description="Stable code of the failure.")] = None
    detail: str | None = None


class InterServiceResponse(_Body):
    """The outcome of asking several services at once."""

    service: str
    healthy: bool
    trace_id: Annotated[str | None, Field(description="32 hexadecimal digits.")] = None
    request_id: str = Field(default_factory=request_id)
    services: dict[str, ServiceInfo]
    timestamp: str = Field(default_factory=timestamp)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of error answers, for `responses=` of a route or router."""
    return {status: {"model": ErrorResponse} for status in statuses}
