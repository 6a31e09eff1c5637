"""One slice of a job: bounded work under a lease, and the state after each step in the store."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from runner.batch import Batch, Gatherer, Limits
from runner.documents import Opener, Uploads, load_items
from runner.ingest import Ingest, is_refusal, may_be_the_documents_fault
from runner.jobs import DocumentFailure, Job, JobStore, Stored, Superseded
from runner.parts import PartCounts, part_id
from runner.settings import Settings
from shared.errors import ServiceError
from shared.logging import get_logger
from shared.request import deadline

_log = get_logger(__name__)

# Kept of the request's time for the last write of the state.
_RESERVE_SECONDS = 1.5
_LEAST_SECONDS = 1.0
# Of a slice's limit, when the request has less time than a whole slice takes.
_SOFT_SHARE = 0.6


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Progress:
    """A job after a slice, and for how many seconds another one makes no sense."""

    job: Job
    retry_after: float


class Worker:
    """Moves jobs on, a slice at a time.

    Any number of workers may be asked for the same job: a lease lets one of them work, and the
    conditional writes of the store keep one that has lost its lease from changing anything.

    Args:
        settings: Bounds of a slice, a batch and a document.
        jobs: Where jobs are kept.
        uploads: Where uploaded documents are.
        counts: How many parts documents have.
        ingest: Where documents go.
        stopping: Asked between steps; where it is true the slice ends.
        now: The clock of leases, with a time zone.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        jobs: JobStore,
        uploads: Uploads,
        counts: PartCounts,
        ingest: Ingest,
        stopping: Callable[[], bool] = lambda: False,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._uploads = uploads
        self._counts = counts
        self._ingest = ingest
        self._stopping = stopping
        self._now = now

    async def advance(self, job_id: str) -> Progress:
        """Work on a job for one slice, if there is work and nobody else is at it.

        Raises:
            NotFound: There is no such job.
            ServiceError: The job cannot be read or written; nothing is lost.
        """
        stored = await asyncio.to_thread(self._jobs.load, job_id)
        limit = self._limit_seconds()
        if not self._may_begin(stored.job) or limit < _LEAST_SECONDS:
            return self._progress(stored.job)
        gatherer = await asyncio.to_thread(self._gatherer, stored.job)
        begun = stored.job.begun(
            secrets.token_hex(8),
            now=self._now(),
            seconds=limit + self._settings.lease_grace_seconds,
        )
        try:
            stored = await asyncio.to_thread(self._jobs.save, stored, begun)
            stored = await _Slice(self, gatherer, limit).run(stored)
        except Superseded:
            # Somebody else moved it on, or cancelled it: what is stored is the truth.
            _log.info("job_superseded", job_id=job_id)
            stored = await asyncio.to_thread(self._jobs.load, job_id)
        finally:
            gatherer.close()
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
        return job.is_open and not job.blocked_seconds(self._now()) and not self._stopping()

    def _progress(self, job: Job) -> Progress:
        return Progress(job, job.blocked_seconds(self._now()) if job.is_open else 0.0)

    def _limit_seconds(self) -> float:
        left = deadline.remaining_seconds()
        limit = self._settings.slice_limit_seconds
        return limit if left is None else min(limit, left - _RESERVE_SECONDS)

    def _gatherer(self, job: Job) -> Gatherer:
        items = load_items(self._jobs.items(job), job)
        opener = Opener(
            self._uploads,
            max_bytes=self._settings.max_document_bytes,
            seconds=self._settings.parse_seconds,
        )
        return Gatherer(items, opener, self._counts)


class _Slice:
    """The steps between taking a lease and giving it back."""

    def __init__(self, worker: Worker, gatherer: Gatherer, limit_seconds: float) -> None:
        self._worker = worker
        self._gatherer = gatherer
        self._settings = worker._settings
        began = time.monotonic()
        self._ends = began + limit_seconds
        self._soft_end = began + min(self._settings.slice_seconds, limit_seconds * _SOFT_SHARE)
        self._one_by_one = 0

    async def run(self, stored: Stored) -> Stored:
        """Take steps until the job or the time is at its end; return the job as stored last."""
        if stored.job.attempts > self._settings.max_attempts:
            stored = await self._save(stored, self._given_up(stored.job))
        while stored.job.lease is not None:
            if self._hurry():
                return await self._save(stored, stored.job.released(now=self._now()))
            stored = await self._save(stored, await self._step(stored.job))
        return stored

    async def _step(self, job: Job) -> Job:
        """Return the job after one batch, with its lease where another batch may follow."""
        batch: Batch | None = None
        try:
            async with asyncio.timeout(self._left()):
                batch = await asyncio.to_thread(
                    self._gatherer.gather, job.cursor, self._limits(job), self._hurry
                )
                await self._store(batch)
        except TimeoutError:
            return self._stalled(job, "it took longer than a slice", blames_document=True)
        except ServiceError as error:
            if batch is None or not is_refusal(error):
                return self._stalled(
                    job,
                    error.detail,
                    blames_document=may_be_the_documents_fault(error),
                    after=error.retry_after,
                )
            if batch.steps > 1:
                # One of them is to blame: take them one at a time to learn which.
                self._one_by_one = batch.steps
                return job
            refused = self._gatherer.item_id(job.cursor.index)
            batch = Batch(
                job.cursor.next_document(),
                failures=[DocumentFailure(document_id=refused, detail=error.detail)],
            )
        self._one_by_one = max(0, self._one_by_one - 1)
        for failure in batch.failures:
            _log.warning("document_failed", job_id=job.id, **failure.model_dump())
        return self._settled(
            job.advanced(
                batch.cursor, done=batch.done, failures=tuple(batch.failures), now=self._now()
            )
        )

    async def _store(self, batch: Batch) -> None:
        if batch.outgoing:
            await self._worker._ingest.put(batch.outgoing, timeout_seconds=self._left())
        await asyncio.gather(*(self._trim(*one) for one in batch.cut))

    async def _trim(self, document_id: str, parts: int) -> None:
        """Remove the parts that an earlier, longer state of a document has left."""
        counts = self._worker._counts
        before = await asyncio.to_thread(counts.get, document_id)
        for number in range(parts + 1, before + 1):
            await self._worker._ingest.delete(
                part_id(document_id, number), timeout_seconds=self._left()
            )
        if before != parts:
            await asyncio.to_thread(counts.put, document_id, parts)

    def _given_up(self, job: Job) -> Job:
        document_id = self._gatherer.item_id(job.cursor.index)
        _log.error("document_given_up", job_id=job.id, document_id=document_id)
        return self._settled(job.given_up(document_id, now=self._now()))

    def _settled(self, job: Job) -> Job:
        """Return a job that moved on, with its lease given back in the same write at the end."""
        if job.cursor.index >= job.total:
            return job.ended(now=self._now())
        return job.released(now=self._now()) if self._hurry() else job

    def _stalled(
        self, job: Job, reason: str, *, blames_document: bool, after: float | None = None
    ) -> Job:
        _log.warning("job_stalled", job_id=job.id, reason=reason, attempts=job.attempts)
        return job.stalled(reason, blames_document=blames_document, after=after, now=self._now())

    def _limits(self, job: Job) -> Limits:
        # After each slice without progress a quarter, down to one: so that the document which is
        # the cause ends up alone, first, and is the one that is given up.
        documents = self._settings.batch_documents >> 2 * max(0, job.attempts - 1)
        return Limits(
            1 if self._one_by_one else max(1, documents),
            self._settings.batch_characters,
            self._settings.part_characters,
        )

    async def _save(self, stored: Stored, job: Job) -> Stored:
        if job is stored.job:
            return stored
        return await asyncio.to_thread(self._worker._jobs.save, stored, job)

    def _hurry(self) -> bool:
        return time.monotonic() >= self._soft_end or self._worker._stopping()

    def _left(self) -> float:
        return max(0.05, self._ends - time.monotonic())

    def _now(self) -> datetime:
        return self._worker._now()
