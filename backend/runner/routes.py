"""The HTTP interface: parse, call, return."""

import asyncio
import math
import re
from collections.abc import Awaitable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, status

from runner.desk import Desk
from runner.jobs import JobStore
from runner.models import Job, JobBody, JobPage
from runner.work import Worker
from shared.errors import NotFound
from shared.models import error_responses
from shared.request.deadline import in_time

router = APIRouter(tags=["jobs"])

_JOB_ID = re.compile(r"[0-9a-z][0-9a-z-]{7,63}")
_STORAGE_ERRORS = error_responses(502, 503, 504)


async def get_desk(request: Request) -> Desk:
    return request.app.state.desk  # type: ignore[no-any-return]


async def get_jobs(request: Request) -> JobStore:
    return request.app.state.jobs  # type: ignore[no-any-return]


async def get_worker(request: Request) -> Worker:
    return request.app.state.worker  # type: ignore[no-any-return]


async def get_job_id(job_id: Annotated[str, Path(description="As the job's `id`.")]) -> str:
    # What cannot be an id is an unknown job, not a malformed request.
    if not _JOB_ID.fullmatch(job_id):
        raise NotFound("There is no such job.")
    return job_id


DeskPort = Annotated[Desk, Depends(get_desk)]
JobsPort = Annotated[JobStore, Depends(get_jobs)]
WorkerPort = Annotated[Worker, Depends(get_worker)]
JobId = Annotated[str, Depends(get_job_id)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key and body again give the same job, and make no second one.",
    ),
]


@router.post(
    "/jobs",
    summary="Take in documents to ingest",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The job, which has not begun yet.",
    responses=error_responses(400, 409, 413, 422) | _STORAGE_ERRORS,
)
async def create_job(body: JobBody, desk: DeskPort, idempotency_key: IdempotencyKey = None) -> Job:
    """Make a job of documents given here or uploaded under a prefix.

    The job survives every instance of this service from the moment of this answer.
    """
    return Job.of(await _in_time(asyncio.to_thread(desk.open, body, idempotency_key)))


@router.get("/jobs", summary="List jobs", responses=error_responses(422) | _STORAGE_ERRORS)
async def list_jobs(
    jobs: JobsPort,
    state: Annotated[
        Literal["open"] | None, Query(description="`open`: only those with work left to do.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[
        str | None,
        Query(pattern=r"^[0-9a-z][0-9a-z-]{7,63}$", description="From the page before."),
    ] = None,
) -> JobPage:
    """Return some jobs in the order of their ids; a page may hold fewer than `limit`."""
    page = partial(jobs.page, only_open=state == "open", limit=limit, after=cursor)
    return JobPage.of(await _in_time(asyncio.to_thread(page)))


@router.get(
    "/jobs/{job_id}",
    summary="Look up a job",
    responses=error_responses(404) | _STORAGE_ERRORS,
)
async def get_job(job_id: JobId, jobs: JobsPort) -> Job:
    """Return a job and how far it is."""
    return Job.of((await _in_time(asyncio.to_thread(jobs.load, job_id))).job)


@router.post(
    "/jobs/{job_id}/run",
    summary="Work on a job for a bounded time",
    response_description="The job after this slice of work.",
    responses=error_responses(404) | _STORAGE_ERRORS,
)
async def run_job(job_id: JobId, worker: WorkerPort, response: Response) -> Job:
    """Run one slice, unless the job has ended, is being worked on, or waits.

    `Retry-After` says for how long another call does nothing.
    """
    progress = await _in_time(worker.advance(job_id))
    if progress.retry_after:
        response.headers["retry-after"] = str(math.ceil(progress.retry_after))
    return Job.of(progress.job)


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel an open job, or remove an ended one",
    response_model=Job,
    response_description="The job, cancelled.",
    responses={204: {"description": "The job had ended and is removed."}}
    | error_responses(404, 409)
    | _STORAGE_ERRORS,
)
async def delete_job(job_id: JobId, desk: DeskPort) -> Job | Response:
    """Cancel an open job, or remove an ended one. What was ingested stays ingested."""
    job = await _in_time(asyncio.to_thread(desk.end, job_id))
    return Response(status_code=status.HTTP_204_NO_CONTENT) if job is None else Job.of(job)


async def _in_time[R](work: Awaitable[R]) -> R:
    # What an abandoned thread still writes is on condition, like all writes here.
    return await in_time(
        work, "The time for this request is used up; look the job up before trying again."
    )
