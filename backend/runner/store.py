"""The store of jobs in S3, with conditional writes and an index of the open jobs.

jobs/state/{id}.json              the job; every write is conditional on the state it replaces
jobs/items/{id}/{commit}.json     its documents, written before the job, deleted when it ends
jobs/open/{id}                    empty; exists while the job is open, and perhaps a little longer
"""

import secrets
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import ValidationError

from runner.jobs import Job, JobPage, Stored, Superseded
from shared.aws.bucket import Bucket, ObjectChanged, StoredObject, WriteInProgress
from shared.errors import BadDependency, NotFound, Unavailable
from shared.logging import get_logger

_STATE: Final = "jobs/state/"
_OPEN: Final = "jobs/open/"
_JSON: Final = "application/json"
_WRITE_ATTEMPTS: Final = 5
_RETRY_PAUSE_SECONDS: Final = 0.05
_READ_THREADS: Final = 8
# A younger index entry without a job may belong to a creation that is in progress.
_ORPHAN_AGE: Final = timedelta(hours=1)

_log = get_logger(__name__)


class S3JobStore:
    """A `JobStore` in an S3 bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def create(self, job: Job, items: bytes) -> Stored:
        """Store a new job with its documents; if the job exists, return that one."""
        commit = _new_commit()
        job = job.model_copy(
            update={"commit": commit, "items_key": f"jobs/items/{job.id}/{commit}.json"}
        )
        # Written before the job: an open job that is not in the index would never be run.
        self._bucket.put(_OPEN + job.id, b"")
        self._bucket.put(job.items_key, items, content_type=_JSON)
        try:
            return self._write(job, replaces=None)
        except Superseded:
            existing = self.load(job.id)
        if existing.job.items_key != job.items_key:
            self._bucket.delete(job.items_key)
        return existing

    def load(self, job_id: str) -> Stored:
        """Return a job."""
        found = self._read(job_id)
        if found is None:
            raise NotFound(f"There is no job {job_id}.")
        return found

    def items(self, job: Job) -> bytes:
        """Return the documents of an open job as they were passed to `create`."""
        found = self._bucket.get(job.items_key)
        if found is None:
            if not self.load(job.id).job.is_open:
                raise Superseded
            raise BadDependency(
                f"The documents of job {job.id} are gone: s3://{self._bucket.name}/"
                f"{job.items_key}. Restore an earlier version of that object, or cancel the job."
            )
        return found.data

    def save(self, stored: Stored, job: Job) -> Stored:
        """Write the next state of a job; `Superseded` if the stored state has changed."""
        job = job.model_copy(update={"commit": _new_commit()})
        written = self._write(job, replaces=stored.etag)
        if not job.is_open:
            self._delete_work(job)
        return written

    def page(self, *, only_open: bool, limit: int, after: str | None) -> JobPage:
        """Return the jobs whose ids follow `after`."""
        prefix, suffix = (_OPEN, "") if only_open else (_STATE, ".json")
        last_key = "" if after is None else f"{prefix}{after}{suffix}"
        listing = self._bucket.page(prefix, limit=limit, after=last_key)
        ids = [one.key.removeprefix(prefix).removesuffix(suffix) for one in listing.objects]
        jobs: list[Job] = []
        unreadable: list[str] = []
        for entry, job_id, found in zip(listing.objects, ids, self._read_many(ids), strict=True):
            if isinstance(found, BadDependency):
                _log.error("job_unreadable", job_id=job_id, detail=found.detail)
                unreadable.append(job_id)
            elif found is None:
                if only_open and datetime.now(UTC) - entry.modified > _ORPHAN_AGE:
                    self._delete_orphan(job_id)
            elif only_open and not found.job.is_open:
                self._delete_work(found.job)
            else:
                jobs.append(found.job)
        return JobPage(jobs, unreadable, ids[-1] if listing.has_more and ids else None)

    def remove(self, job: Job) -> None:
        """Delete an ended job and its documents."""
        # Delete the state last: while it exists, a removal that failed can be repeated.
        self._delete_work(job)
        self._bucket.delete(_state_key(job.id))

    def _delete_work(self, job: Job) -> None:
        """Delete what an ended job does not need: its documents, and its entry in the index."""
        # The entry goes last: while it exists, a listing of open jobs repeats this.
        self._bucket.delete(job.items_key)
        self._bucket.delete(_OPEN + job.id)

    def _write(self, job: Job, *, replaces: str | None) -> Stored:
        """Replace the state whose ETag is `replaces`; with None, write the first state.

        If S3 stores the object but answers with an error, botocore repeats the request and gets a
        conflict. The commit id in the stored state shows whether this call wrote it.
        """
        key, body = _state_key(job.id), job.model_dump_json().encode()
        for attempt in range(_WRITE_ATTEMPTS):
            try:
                if replaces is None:
                    written = self._bucket.put_if_absent(key, body, content_type=_JSON)
                else:
                    written = self._bucket.put_if_match(key, body, replaces, content_type=_JSON)
                return Stored(job, written.etag)
            except ObjectChanged as error:
                current = self._read(job.id)
                if current is not None and current.job.commit == job.commit:
                    return current
                raise Superseded from error
            except WriteInProgress:
                time.sleep(_RETRY_PAUSE_SECONDS * 2**attempt)
        raise Unavailable(f"Could not store job {job.id}: too many writers.", retry_after=1)

    def _read(self, job_id: str) -> Stored | None:
        found = self._bucket.get(_state_key(job_id))
        return None if found is None else self._decode(job_id, found)

    def _decode(self, job_id: str, found: StoredObject) -> Stored:
        try:
            job = Job.model_validate_json(found.data)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            raise self._damaged_error(job_id, problem["msg"]) from None
        if job.id != job_id:
            raise self._damaged_error(job_id, "it is the state of another job")
        return Stored(job, found.etag)

    def _damaged_error(self, job_id: str, reason: str) -> BadDependency:
        return BadDependency(
            f"The stored job s3://{self._bucket.name}/{_state_key(job_id)} is damaged ({reason}). "
            "Nothing was changed; restore an earlier version of that object."
        )

    def _read_many(self, job_ids: Iterable[str]) -> list[Stored | BadDependency | None]:
        def read(job_id: str) -> Stored | BadDependency | None:
            try:
                return self._read(job_id)
            except BadDependency as error:
                return error

        with ThreadPoolExecutor(_READ_THREADS) as pool:
            return list(pool.map(read, job_ids))

    def _delete_orphan(self, job_id: str) -> None:
        """Delete what `create` left behind if it failed before it stored the job."""
        for entry in self._bucket.page(f"jobs/items/{job_id}/").objects:
            self._bucket.delete(entry.key)
        self._bucket.delete(_OPEN + job_id)


def _state_key(job_id: str) -> str:
    return f"{_STATE}{job_id}.json"


def _new_commit() -> str:
    return secrets.token_hex(12)
