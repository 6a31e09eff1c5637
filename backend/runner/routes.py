"""The HTTP routes of the runner."""

import asyncio
import math
import re
from collections.abc import Awaitable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status

from runner.incoming import Incoming
from runner.job_manager import JobManager
from runner.models import Job, JobBody, JobPage
from runner.worker import Worker
from shared.description.headers import ACCEPTED, IdempotencyKey
from shared.errors import NotFound
from shared.ingestion.documents import JobCursor
from shared.ingestion.uploads import Upload, UploadRequest
from shared.models import error_responses
from shared.request import user
from shared.request.deadline import in_time

router = APIRouter(tags=["jobs"])

_JOB_ID = re.compile(r"[0-9a-z][0-9a-z-]{7,63}")


async def get_job_manager(request: Request) -> JobManager:
    return request.app.state.job_manager  # type: ignore[no-any-return]


async def get_incoming(request: Request) -> Incoming:
    return request.app.state.incoming  # type: ignore[no-any-return]


async def get_worker(request: Request) -> Worker:
    return request.app.state.worker  # type: ignore[no-any-return]


async def get_job_id(job_id: Annotated[str, Path(description="The job's `id`.")]) -> str:
    # 404 and not 422: an impossible id is an unknown job.
    if not _JOB_ID.fullmatch(job_id):
        raise NotFound("There is no such job.")
    return job_id


JobManagerPort = Annotated[JobManager, Depends(get_job_manager)]
IncomingPort = Annotated[Incoming, Depends(get_incoming)]
WorkerPort = Annotated[Worker, Depends(get_worker)]
JobId = Annotated[str, Depends(get_job_id)]


@router.post(
    "/uploads",
    summary="Get a URL to upload a file to",
    status_code=status.HTTP_201_CREATED,
    response_description="Where to put the file; a document of a job names its id.",
)
async def create_upload(body: UploadRequest, incoming: IncomingPort) -> Upload:
    """Return a presigned URL that takes one file of this type and size for some minutes."""
    return await _in_time(asyncio.to_thread(incoming.create, body))


@router.post(
    "/jobs",
    summary="Create a job that ingests documents",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The job, which has not started yet.",
    responses=ACCEPTED | error_responses(409),
)
async def create_job(
    body: JobBody,
    manager: JobManagerPort,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Create a job of documents in the body or uploaded under a prefix.

    Once this returns, the job is stored durably: it survives the end of any instance.
    """
    job = Job.of(await _in_time(asyncio.to_thread(manager.create, body, idempotency_key)))
    response.headers["location"] = f"jobs/{job.id}"
    return job


@router.get("/jobs", summary="List jobs")
async def list_jobs(
    manager: JobManagerPort,
    state: Annotated[
        Literal["open"] | None, Query(description="`open`: only jobs with work left.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: JobCursor | None = None,
) -> JobPage:
    """Return one page of jobs in the order of their ids; it may have fewer than `limit`."""
    page = partial(manager.page, only_open=state == "open", limit=limit, after=cursor)
    return JobPage.of(await _in_time(asyncio.to_thread(page)))


@router.get(
    "/jobs/{job_id}",
    summary="Look up a job",
    responses=error_responses(404),
)
async def get_job(job_id: JobId, manager: JobManagerPort) -> Job:
    """Return a job and its progress."""
    return Job.of(await _in_time(asyncio.to_thread(manager.get, job_id)))


@router.post(
    "/jobs/{job_id}/run",
    summary="Work on a job for a bounded time",
    response_description="The job after this slice of work.",
    responses=error_responses(404),
)
async def run_job(
    job_id: JobId, manager: JobManagerPort, worker: WorkerPort, response: Response
) -> Job:
    """Run one slice, unless the job has ended, waits, or is running elsewhere.

    Until the seconds in `Retry-After` have passed, another call does nothing.
    """
    if user.current() is not None:
        await _in_time(asyncio.to_thread(manager.get, job_id))  # 404 for another user's job
    progress = await _in_time(worker.advance(job_id))
    if progress.retry_after:
        response.headers["retry-after"] = str(math.ceil(progress.retry_after))
    return Job.of(progress.job)


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel an open job, or remove an ended one",
    response_model=Job,
    response_description="The job, cancelled.",
    responses=error_responses(404, 409)
    | {204: {"description": "The job had ended and is removed."}},
)
async def delete_job(job_id: JobId, manager: JobManagerPort) -> Job | Response:
    """Cancel an open job, or remove an ended one. Ingested documents stay in the store."""
    job = await _in_time(asyncio.to_thread(manager.cancel_or_remove, job_id))
    return Response(status_code=status.HTTP_204_NO_CONTENT) if job is None else Job.of(job)


async def _in_time[R](work: Awaitable[R]) -> R:
    # The abandoned thread may still write, which is harmless: its writes are conditional.
    return await in_time(
        work, "The time for this request is used up; look the job up before trying again."
    )
