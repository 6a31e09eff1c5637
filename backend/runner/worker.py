"""Runs slices of jobs: decides whether one may begin, and for how long."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from runner.batches import BatchBuilder
from runner.items import load_items
from runner.jobs import Job, JobStore, Superseded
from runner.opener import DocumentOpener
from runner.parts import PartCounts
from runner.settings import Settings
from runner.sink import DocumentSink
from runner.slices import Slice, SlicePorts
from runner.uploads import Uploads
from shared.logging import get_logger
from shared.request import deadline
from shared.request.user import acting_for

_log = get_logger(__name__)

# Reserved at the end of the request for the last write of the state.
_RESERVE_SECONDS = 1.5
_MIN_SLICE_SECONDS = 1.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Progress:
    """A job after a slice, and the seconds until another slice can do anything."""

    job: Job
    retry_after: float


class Worker:
    """Advances jobs, one slice at a time.

    Any number of workers may advance the same job: only one of them gets the lease. A worker whose
    lease expired cannot change anything, because all writes of the state are conditional.

    Args:
        settings: Limits of a slice, a batch and a document.
        jobs: The store of jobs.
        uploads: The uploaded documents.
        counts: How many parts documents have.
        sink: Where documents are stored.
        stopping: Called between steps; the slice ends if it returns True.
        now: Returns the current time, with a time zone, for leases.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        jobs: JobStore,
        uploads: Uploads,
        counts: PartCounts,
        sink: DocumentSink,
        stopping: Callable[[], bool] = lambda: False,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._settings = settings
        self._uploads = uploads
        self._ports = SlicePorts(jobs, counts, sink, stopping, now)

    async def advance(self, job_id: str) -> Progress:
        """Work on a job for one slice, unless it has ended, waits, or another worker has it.

        Raises:
            NotFound: There is no such job.
            ServiceError: The job cannot be read or written; no progress is lost.
        """
        ports = self._ports
        stored = await asyncio.to_thread(ports.jobs.load, job_id)
        limit = self._limit_seconds()
        if not self._may_begin(stored.job) or limit < _MIN_SLICE_SECONDS:
            return self._progress(stored.job)
        try:
            builder = await asyncio.to_thread(self._batch_builder, stored.job)
        except Superseded:
            return self._progress((await asyncio.to_thread(ports.jobs.load, job_id)).job)
        begun = stored.job.begun(
            secrets.token_hex(8),
            now=ports.now(),
            seconds=limit + self._settings.lease_grace_seconds,
        )
        try:
            stored = await asyncio.to_thread(ports.jobs.save, stored, begun)
            # The documents belong to whoever created the job, not to whoever runs it.
            with acting_for(begun.user):
                stored = await Slice(self._settings, ports, builder, limit).run(stored)
        except Superseded:
            # Another worker advanced the job, or a caller cancelled it.
            _log.info("job_superseded", job_id=job_id)
            stored = await asyncio.to_thread(ports.jobs.load, job_id)
        finally:
            builder.close()
        job = stored.job
        _log.info(
            "slice_completed",
            job_id=job.id,
            state=job.state,
            done=job.done,
            failed=job.failed,
            total=job.total,
        )
        return self._progress(job)

    def _may_begin(self, job: Job) -> bool:
        ports = self._ports
        return job.is_open and not job.blocked_seconds(ports.now()) and not ports.stopping()

    def _progress(self, job: Job) -> Progress:
        return Progress(job, job.blocked_seconds(self._ports.now()) if job.is_open else 0.0)

    def _limit_seconds(self) -> float:
        left = deadline.remaining_seconds()
        limit = self._settings.slice_limit_seconds
        return limit if left is None else min(limit, left - _RESERVE_SECONDS)

    def _batch_builder(self, job: Job) -> BatchBuilder:
        items = load_items(self._ports.jobs.items(job), job)
        opener = DocumentOpener(
            self._uploads,
            max_bytes=self._settings.max_document_bytes,
            seconds=self._settings.parse_seconds,
        )
        return BatchBuilder(items, opener, self._ports.counts)
