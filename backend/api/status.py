"""What is running, and since when."""

import time

from shared.models import StatusResponse
from shared.settings import FullServiceSettings


class Status:
    """The identity of this process; its up time begins when the object is made."""

    def __init__(self, settings: FullServiceSettings) -> None:
        self._settings = settings
        self._started = time.monotonic()

    def now(self) -> StatusResponse:
        """Return the status at this moment."""
        return StatusResponse(
            service=self._settings.service_name,
            environment=self._settings.environment,
            version=self._settings.service_version,
            region=self._settings.aws_region,
            tracing=self._settings.enable_tracing,
            uptime_seconds=round(time.monotonic() - self._started, 3),
        )
