"""Runs slices of ingestions at the service `runner`; the API has no operation for it."""

from client import models
from client.errors import Forbidden, NotFound, Unauthenticated
from client.transport import Transport


class Runner:
    """The service `runner` behind the gateway."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def run_slice(self, ingestion_id: str) -> models.Ingestion | None:
        """Work on an ingestion now and not at the next minute; None if the key may not.

        Raises:
            AdvisorError: The slice failed.
        """
        path = self._transport.path("/jobs/{}/run", ingestion_id)
        try:
            return self._transport.call("POST", path, answer=models.Ingestion)
        except (Unauthenticated, Forbidden, NotFound):
            return None
