"""The `advance-jobs` task: runs slices of the runner's open jobs.

App Runner provides CPU only during requests, and the gateway ends a request after 29 s. So jobs
run in slices, each one request. EventBridge Scheduler starts this task every minute.
"""

import time
from typing import Any, Final, Literal

from shared.api_client import CallError, RequestRefused, ServiceAPIClient
from shared.logging import get_logger

_log = get_logger(__name__)

LIST_LIMIT: Final = 20
"""The most open jobs that one run advances; the others wait for the next minute."""


class JobAdvancer:
    """Runs slices of open jobs, round-robin, until none is open or the time is used up.

    Args:
        client: Calls the runner.
        seconds: The longest time of one run.
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
        queue = [str(job["id"]) for job in listing.json().get("jobs", [])]
        slices = later = 0
        while queue and time.monotonic() < ends:
            job_id = queue.pop(0)
            slices += 1
            try:
                match await self._state_after_slice(job_id):
                    case "open":
                        queue.append(job_id)
                    case "later":
                        later += 1
            except CallError as error:
                # Continue with the other jobs; the next run tries this one again.
                later += 1
                _log.warning("slice_failed", job_id=job_id, error=error.code, detail=error.detail)
        return {"slices": slices, "open_jobs": len(queue) + later}

    async def _state_after_slice(self, job_id: str) -> Literal["open", "later", "ended"]:
        try:
            response = await self._client.post(f"/runner/jobs/{job_id}/run")
        except RequestRefused as error:
            # The job was removed in the meantime.
            _log.info("slice_refused", job_id=job_id, error=error.code)
            return "ended"
        if response.json().get("state") not in {"pending", "running"}:
            return "ended"
        # With Retry-After the job waits or runs elsewhere; more calls would only use up the quota.
        return "later" if "retry-after" in response.headers else "open"
