"""A slice: the work on a job within one request.

It consists of steps, each of which stores a batch of documents and then the job's new state. The
writes are conditional, so a worker that has lost its lease (its exclusive right) changes nothing.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from runner.batches import Batch, BatchBuilder, Limits
from runner.failures import DocumentFailure
from runner.jobs import Job, JobStore, Stored
from runner.parts import PartCounts
from runner.settings import Settings
from runner.sink import DocumentSink, is_refusal, may_be_caused_by_document
from shared.errors import ServiceError
from shared.ingestion.parts import part_id
from shared.logging import get_logger

_log = get_logger(__name__)

# If the request has less time than a whole slice, steps may begin during this share of it.
_WORK_SHARE = 0.6


@dataclass(frozen=True)
class SlicePorts:
    """What a slice reads from and writes to, and its clock.

    Attributes:
        jobs: The store of jobs.
        counts: How many parts documents have.
        sink: Where documents are stored.
        stopping: Called between steps; the slice ends if it returns True.
        now: The time for leases, with a time zone.
    """

    jobs: JobStore
    counts: PartCounts
    sink: DocumentSink
    stopping: Callable[[], bool]
    now: Callable[[], datetime]


class Slice:
    """The steps between the acquisition of a lease and its release."""

    def __init__(
        self, settings: Settings, ports: SlicePorts, builder: BatchBuilder, limit_seconds: float
    ) -> None:
        self._settings = settings
        self._ports = ports
        self._builder = builder
        began = time.monotonic()
        self._ends = began + limit_seconds
        self._work_ends = began + min(settings.slice_seconds, limit_seconds * _WORK_SHARE)
        # How many of the next steps take one document each, to find one that is refused.
        self._single_steps = 0

    async def run(self, stored: Stored) -> Stored:
        """Take steps until the job or the time ends; return the job as it was stored last."""
        if stored.job.attempts > self._settings.max_attempts:
            stored = await self._save(stored, self._skip_document(stored.job))
        while stored.job.lease is not None:
            if self._should_stop():
                return await self._save(stored, stored.job.released(now=self._ports.now()))
            stored = await self._save(stored, await self._step(stored.job))
        return stored

    async def _step(self, job: Job) -> Job:
        """Return the job after one batch; it keeps its lease if another batch may follow."""
        batch: Batch | None = None
        try:
            async with asyncio.timeout(self._seconds_left()):
                batch = await asyncio.to_thread(
                    self._builder.build, job.cursor, self._limits(job), self._should_stop
                )
                await self._store(batch)
        except TimeoutError:
            return self._stalled(job, "it took longer than a slice", blames_document=True)
        except ServiceError as error:
            if batch is None or not is_refusal(error):
                return self._stalled(
                    job,
                    error.detail,
                    blames_document=may_be_caused_by_document(error),
                    after=error.retry_after,
                )
            if batch.steps > 1:
                # One of these documents was refused. Send them one at a time to find it.
                self._single_steps = batch.steps
                return job
            refused = self._builder.item_id(job.cursor.index)
            batch = Batch(
                job.cursor.next_document(),
                failures=[DocumentFailure(document_id=refused, detail=error.detail)],
            )
        self._single_steps = max(0, self._single_steps - 1)
        for failure in batch.failures:
            _log.warning("document_failed", job_id=job.id, **failure.model_dump())
        return self._release_if_done(
            job.advanced(
                batch.cursor,
                done=batch.done,
                partial=batch.partial,
                failures=tuple(batch.failures),
                now=self._ports.now(),
            )
        )

    async def _store(self, batch: Batch) -> None:
        if batch.outgoing:
            await self._ports.sink.put(batch.outgoing, timeout_seconds=self._seconds_left())
        await asyncio.gather(*(self._delete_surplus(*one) for one in batch.part_counts))

    async def _delete_surplus(self, document_id: str, parts: int) -> None:
        """Delete the parts that a longer version of a document has left in the store."""
        counts = self._ports.counts
        before = await asyncio.to_thread(counts.get, document_id)
        for number in range(parts + 1, before + 1):
            await self._ports.sink.delete(
                part_id(document_id, number), timeout_seconds=self._seconds_left()
            )
        if before != parts:
            await asyncio.to_thread(counts.put, document_id, parts)

    def _skip_document(self, job: Job) -> Job:
        document_id = self._builder.item_id(job.cursor.index)
        _log.error("document_given_up", job_id=job.id, document_id=document_id)
        return self._release_if_done(job.given_up(document_id, now=self._ports.now()))

    def _release_if_done(self, job: Job) -> Job:
        """Return the job without its lease if the job or the slice is at its end.

        So the last progress and the release are one write.
        """
        if job.cursor.index >= job.total:
            return job.ended(now=self._ports.now())
        return job.released(now=self._ports.now()) if self._should_stop() else job

    def _stalled(
        self, job: Job, reason: str, *, blames_document: bool, after: float | None = None
    ) -> Job:
        _log.warning("job_stalled", job_id=job.id, reason=reason, attempts=job.attempts)
        return job.stalled(
            reason, blames_document=blames_document, after=after, now=self._ports.now()
        )

    def _limits(self, job: Job) -> Limits:
        # Each attempt without progress divides the batch by four, down to one document. So the
        # document that causes the failures is finally alone in a batch and can be skipped.
        documents = self._settings.batch_documents >> 2 * max(0, job.attempts - 1)
        return Limits(
            1 if self._single_steps else max(1, documents),
            self._settings.batch_characters,
            self._settings.part_characters,
        )

    async def _save(self, stored: Stored, job: Job) -> Stored:
        if job is stored.job:
            return stored
        return await asyncio.to_thread(self._ports.jobs.save, stored, job)

    def _should_stop(self) -> bool:
        return time.monotonic() >= self._work_ends or self._ports.stopping()

    def _seconds_left(self) -> float:
        return max(0.05, self._ends - time.monotonic())
