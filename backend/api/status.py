"""The status of this process."""

import time

from shared.models import StatusResponse
from shared.settings import FullServiceSettings


class Status:
    """Version, configuration and up time of this process, counted from the object's creation."""

    def __init__(self, settings: FullServiceSettings) -> None:
        self._settings = settings
        self._started = time.monotonic()

    def now(self) -> StatusResponse:
        """Return the current status."""
        return StatusResponse(
            service=self._settings.service_name,
            environment=self._settings.environment,
            version=self._settings.service_version,
            region=self._settings.aws_region,
            tracing=self._settings.enable_tracing,
            uptime_seconds=round(time.monotonic() - self._started, 3),
        )
