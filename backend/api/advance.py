"""The `advance-jobs` task: the clock that gives the runner its time.

App Runner gives CPU only while a request is in flight and the gateway ends one at 29 s, so long
work is done in slices; a scheduler runs this task every minute, and it runs slices while any job
is open.
"""

import time
from typing import Any, Final, Literal

from shared.api_client import CallError, RequestRefused, ServiceAPIClient
from shared.logging import get_logger

_log = get_logger(__name__)

LIST_LIMIT: Final = 20
"""Open jobs looked at in one run; those beyond wait for the next minute."""


class JobClock:
    """Runs slices of open jobs, each in turn, until none is open or the time is used up.

    Args:
        client: Calls the runner.
        seconds: How long one run may work.
    """

    def __init__(self, client: ServiceAPIClient, *, seconds: float) -> None:
        self._client = client
        self._seconds = seconds

    async def advance(self, _event: dict[str, Any]) -> dict[str, Any]:
        """Return how many slices were run and how many jobs are still open."""
        ends = time.monotonic() + self._seconds
        listing = await self._client.get(
            "/runner/jobs", params={"state": "open", "limit": LIST_LIMIT}
        )
        waiting = [str(job["id"]) for job in listing.json().get("jobs", [])]
        slices = later = 0
        while waiting and time.monotonic() < ends:
            job_id = waiting.pop(0)
            slices += 1
            try:
                match await self._state_after_slice(job_id):
                    case "open":
                        waiting.append(job_id)  # behind the others: each job gets its turn
                    case "later":
                        later += 1
            except CallError as error:
                # One that fails must not keep the others waiting; the next minute tries again.
                later += 1
                _log.warning("slice_failed", job_id=job_id, error=error.code, detail=error.detail)
        return {"slices": slices, "open_jobs": len(waiting) + later}

    async def _state_after_slice(self, job_id: str) -> Literal["open", "later", "ended"]:
        try:
            response = await self._client.post(f"/runner/jobs/{job_id}/run")
        except RequestRefused as error:
            # Cancelled meanwhile, or another instance has its lease: nothing is left to do here.
            _log.info("slice_refused", job_id=job_id, error=error.code)
            return "ended"
        if response.json().get("state") not in {"pending", "running"}:
            return "ended"
        # It is being worked on, or waits for s3vector: to ask again at once would only use up the
        # quota of this service's key.
        return "later" if "retry-after" in response.headers else "open"
