"""Jobs in S3: conditional writes, and an index of the open ones.

jobs/state/{id}.json              the job; every write names what it replaces
jobs/items/{id}/{commit}.json     its documents, written before the job, by whoever makes it
jobs/open/{id}                    empty; there as long as the job is open, perhaps a bit longer
"""

import secrets
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from runner.jobs import Job, JobPage, Stored, Superseded
from shared.aws.clients import aws_errors, error_code
from shared.errors import BadDependency, NotFound, Unavailable
from shared.logging import get_logger

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_STATE: Final = "jobs/state/"
_OPEN: Final = "jobs/open/"
_CONFLICT_ATTEMPTS: Final = 5
_CONFLICT_PAUSE_SECONDS: Final = 0.05
_READERS: Final = 8
# An index entry without a job is somebody's POST in the middle, or what is left of one that died.
_ORPHAN_AGE: Final = timedelta(hours=1)

_log = get_logger(__name__)


class S3JobStore:
    """A `JobStore` in one bucket.

    Args:
        bucket: The bucket's name.
        client: Makes or returns the S3 client.
    """

    def __init__(self, bucket: str, client: "Callable[[], S3Client]") -> None:
        self._bucket = bucket
        self._client = client

    def create(self, job: Job, items: bytes) -> Stored:
        """Store a new job with its documents; return the one that is there if it exists."""
        commit = _new_commit()
        job = job.model_copy(
            update={"commit": commit, "items_key": f"jobs/items/{job.id}/{commit}.json"}
        )
        with aws_errors(f"store job {job.id}"):
            # Before the job itself: an open job that the index lacks would never be worked on.
            self._put(_OPEN + job.id, b"")
            self._put(job.items_key, items)
        try:
            return Stored(job, self._write(job, IfNoneMatch="*"))
        except Superseded:
            existing = self.load(job.id)
        if existing.job.items_key != job.items_key:
            self._delete(job.items_key)
        return existing

    def load(self, job_id: str) -> Stored:
        """Return a job."""
        found = self._read(job_id)
        if found is None:
            raise NotFound(f"There is no job {job_id}.")
        return found

    def items(self, job: Job) -> bytes:
        """Return the documents of a job as they were given to `create`."""
        content = self._get(job.items_key)
        if content is None:
            raise BadDependency(
                f"The documents of job {job.id} are gone: s3://{self._bucket}/{job.items_key}. "
                "Restore an earlier version of that object, or cancel the job."
            )
        return content[0]

    def save(self, stored: Stored, job: Job) -> Stored:
        """Write the next state of a job; `Superseded` where it is not what was read."""
        job = job.model_copy(update={"commit": _new_commit()})
        written = Stored(job, self._write(job, IfMatch=stored.etag))
        if not job.is_open:
            self._delete(_OPEN + job.id)
        return written

    def page(self, *, only_open: bool, limit: int, after: str | None) -> JobPage:
        """Return the jobs whose ids follow `after`."""
        prefix, suffix = (_OPEN, "") if only_open else (_STATE, ".json")
        with aws_errors("list the jobs"):
            listing = self._client().list_objects_v2(
                Bucket=self._bucket,
                Prefix=prefix,
                MaxKeys=limit,
                StartAfter="" if after is None else f"{prefix}{after}{suffix}",
            )
        entries = listing.get("Contents", [])
        ids = [entry["Key"].removeprefix(prefix).removesuffix(suffix) for entry in entries]
        jobs: list[Job] = []
        unreadable: list[str] = []
        for entry, job_id, found in zip(entries, ids, self._read_many(ids), strict=True):
            if isinstance(found, BadDependency):
                _log.error("job_unreadable", job_id=job_id, detail=found.detail)
                unreadable.append(job_id)
            elif found is None:
                if only_open and _is_old(entry["LastModified"]):
                    self._forget(job_id)
            elif only_open and not found.job.is_open:
                self._delete(_OPEN + job_id)
            else:
                jobs.append(found.job)
        return JobPage(jobs, unreadable, ids[-1] if listing.get("IsTruncated") and ids else None)

    def remove(self, job: Job) -> None:
        """Delete an ended job and its documents."""
        # Its state last: as long as that is there, removing can be repeated.
        self._delete(job.items_key, _OPEN + job.id, _state_key(job.id))

    def _write(self, job: Job, **condition: Any) -> str:
        """Write a state on a condition and return its ETag.

        A write that landed although S3 answered an error is sent again by botocore, and then fails
        its own condition: the commit in what is there tells it from somebody else's.
        """
        from botocore.exceptions import ClientError

        body = job.model_dump_json().encode()
        with aws_errors(f"store job {job.id}"):
            for attempt in range(_CONFLICT_ATTEMPTS):
                try:
                    return self._put(_state_key(job.id), body, **condition)
                except ClientError as error:
                    code = error_code(error)
                    if code == "NoSuchKey":
                        raise Superseded from error
                    if code == "PreconditionFailed":
                        there = self._read(job.id)
                        if there is not None and there.job.commit == job.commit:
                            return there.etag
                        raise Superseded from error
                    if code not in {"ConditionalRequestConflict", "OperationAborted"}:
                        raise
                # 409: another write to the same key was under way; which one won is still open.
                time.sleep(_CONFLICT_PAUSE_SECONDS * 2**attempt)
        raise Unavailable(f"Could not store job {job.id}: too many writers.", retry_after=1)

    def _read(self, job_id: str) -> Stored | None:
        key = _state_key(job_id)
        content = self._get(key)
        if content is None:
            return None
        body, etag = content
        try:
            job = Job.model_validate_json(body)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            raise self._damaged(key, problem["msg"]) from None
        if job.id != job_id:
            raise self._damaged(key, "it holds another job")
        return Stored(job, etag)

    def _damaged(self, key: str, why: str) -> BadDependency:
        return BadDependency(
            f"The stored job s3://{self._bucket}/{key} is damaged ({why}). Nothing was changed; "
            "restore an earlier version of that object."
        )

    def _read_many(self, job_ids: Iterable[str]) -> list[Stored | BadDependency | None]:
        def read(job_id: str) -> Stored | BadDependency | None:
            try:
                return self._read(job_id)
            except BadDependency as error:
                return error

        with ThreadPoolExecutor(_READERS) as pool:
            return list(pool.map(read, job_ids))

    def _forget(self, job_id: str) -> None:
        """Remove what a creation that died has left."""
        prefix = f"jobs/items/{job_id}/"
        with aws_errors(f"list {prefix}"):
            listing = self._client().list_objects_v2(Bucket=self._bucket, Prefix=prefix)
        self._delete(*(entry["Key"] for entry in listing.get("Contents", [])), _OPEN + job_id)

    def _get(self, key: str) -> tuple[bytes, str] | None:
        from botocore.exceptions import ClientError

        with aws_errors(f"read {key}"):
            try:
                answer = self._client().get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return None
                raise
            return answer["Body"].read(), answer["ETag"]

    def _put(self, key: str, body: bytes, **condition: Any) -> str:
        answer = self._client().put_object(
            Bucket=self._bucket, Key=key, Body=body, ContentType="application/json", **condition
        )
        return answer["ETag"]

    def _delete(self, *keys: str) -> None:
        """Remove objects, one after the other."""
        for key in keys:
            with aws_errors(f"remove {key}"):
                self._client().delete_object(Bucket=self._bucket, Key=key)


def _state_key(job_id: str) -> str:
    return f"{_STATE}{job_id}.json"


def _new_commit() -> str:
    return secrets.token_hex(12)


def _is_old(modified: datetime) -> bool:
    return datetime.now(UTC) - modified > _ORPHAN_AGE
