"""Response bodies that all services share."""

from datetime import UTC
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from shared.logging import timestamp
from shared.logging.request_context import request_id


def _iso(moment: AwareDatetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_DATE_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}

Timestamp = Annotated[
    AwareDatetime,
    PlainSerializer(_iso, return_type=str, when_used="json"),
    WithJsonSchema({**_DATE_TIME, "description": "ISO 8601, UTC, with milliseconds and `Z`."}),
]
"""A time in a body of any service; `timestamp()` returns the current time in the same format."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ErrorResponse(_Body):
    """An error: a stable code, what happened, and what the caller can do."""

    error: Annotated[str, Field(description="Stable code.", examples=["not_found"])]
    detail: Annotated[str, Field(description="What happened, and what to do.")]
    timestamp: str = Field(default_factory=timestamp, description="ISO 8601, UTC.")
    request_id: str = Field(default_factory=request_id, description="Also in every log line.")


class HealthResponse(_Body):
    """The state of a service."""

    status: Literal["healthy", "alive", "ready"]
    service: str
    environment: str
    timestamp: str = Field(default_factory=timestamp)


class StatusResponse(_Body):
    """The version of a service, where it runs, and for how long."""

    service: str
    environment: str
    version: str
    region: str
    tracing: bool
    uptime_seconds: Annotated[float, Field(ge=0)]
    timestamp: str = Field(default_factory=timestamp)


class ServiceInfo(_Body):
    """The health of a service, as another service sees it through the gateway."""

    service: str
    healthy: bool
    status: Annotated[int | None, Field(description="HTTP status; null without an answer.")] = None
    duration: Annotated[float, Field(ge=0, description="Seconds.")]
    error: Annotated[str | None, Field(description="Stable code of the error.")] = None
    detail: str | None = None


class InterServiceResponse(_Body):
    """The health of several services, requested concurrently."""

    service: str
    healthy: bool
    trace_id: Annotated[str | None, Field(description="32 hexadecimal digits.")] = None
    request_id: str = Field(default_factory=request_id)
    services: dict[str, ServiceInfo]
    timestamp: str = Field(default_factory=timestamp)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of error responses, for `responses=` of a route or router."""
    return {status: {"model": ErrorResponse} for status in statuses}
