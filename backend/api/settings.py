"""The settings of the api service."""

from pydantic import Field

from shared.settings import FullServiceSettings


class Settings(FullServiceSettings):
    """The settings of the api service."""

    peer_services: str = Field(pattern=r"^[a-z][a-z0-9]*(,[a-z][a-z0-9]*)*$")
    """The other services behind the gateway, whose health `/test` asks, separated by commas."""

    health_timeout_seconds: float = Field(default=10.0, gt=0, le=25)
    """How long `/test` waits for each service; a cold start takes seconds."""

    advance_seconds: float = Field(default=25.0, gt=0, le=840)
    """The longest time of one run of the `advance-jobs` task; less than the function's timeout."""

    users_required: bool = False
    """Whether a request needs a user, because the gateway has an authorizer."""

    tenant_claim: str | None = Field(default=None, min_length=1, max_length=64)
    """The claim of a user's token with the user's tenant; without it, there is one tenant."""

    cors_origins: str = Field(default="", pattern=r"^(\*|https?://[^\s,]+(,https?://[^\s,]+)*)?$")
    """Origins allowed by CORS, separated by commas. The gateway answers preflight requests."""
