"""Creating, cancelling and removing jobs."""

import dataclasses
import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from runner.incoming import Incoming
from runner.items import InlineItem, UploadItem, document_id, dump_items
from runner.jobs import Job, JobPage, JobStore, Stored, Superseded
from runner.models import JobBody
from runner.uploads import Uploads
from shared.errors import Conflict, NotFound, Unprocessable, UserNotPermitted
from shared.request import user
from shared.request.user import User

_CANCEL_ATTEMPTS = 10


class JobManager:
    """Everything that callers do with jobs, except running them.

    Args:
        jobs: The store of jobs.
        uploads: The documents under the operator's prefixes.
        incoming: The documents that callers uploaded.
        max_documents: The most documents of one job.
    """

    def __init__(
        self, jobs: JobStore, uploads: Uploads, incoming: Incoming, *, max_documents: int
    ) -> None:
        self._jobs = jobs
        self._uploads = uploads
        self._incoming = incoming
        self._max_documents = max_documents

    def create(self, body: JobBody, idempotency_key: str | None) -> Job:
        """Create a job, or return the job that was created with the same key.

        Raises:
            Conflict: The key was used with another body.
            Unprocessable: There are no documents under the prefix, too many, or no such upload.
            UserNotPermitted: The user may not read what is uploaded.
        """
        creator = user.current()
        if body.prefix is not None and creator is not None and not creator.is_curator:
            # A prefix has no owner: it may contain what another user must not read.
            raise UserNotPermitted(
                "Only curators may ingest a prefix; name each upload in documents."
            )
        fingerprint = _fingerprint(body)
        if idempotency_key is None:
            # The time comes first, so that ids sort by age.
            job_id = f"{time.time_ns() // 1_000_000:012x}-{secrets.token_hex(8)}"
        else:
            job_id = f"key-{_key_hash(creator, idempotency_key)}"
            with suppress(NotFound):
                # Check before listing the prefix: its content may have changed since.
                return _require_same_body(self._jobs.load(job_id).job, fingerprint)
        items = self._items(body)
        now = datetime.now(UTC)
        job = Job(
            id=job_id,
            fingerprint=fingerprint,
            items_key="",
            user=creator,
            total=len(items),
            created_at=now,
            updated_at=now,
        )
        created = self._jobs.create(job, dump_items(items)).job
        return _require_same_body(created, fingerprint)

    def get(self, job_id: str) -> Job:
        """Return a job of the current user.

        Raises:
            NotFound: The user has no such job.
        """
        return self._load(job_id).job

    def page(self, *, only_open: bool, limit: int, after: str | None) -> JobPage:
        """Return the current user's jobs among the next `limit` jobs; there may be none."""
        page = self._jobs.page(only_open=only_open, limit=limit, after=after)
        reader = user.current()
        return dataclasses.replace(
            page,
            jobs=[one for one in page.jobs if one.is_visible_to(reader)],
            unreadable=page.unreadable if reader is None else [],
        )

    def cancel_or_remove(self, job_id: str) -> Job | None:
        """Cancel an open job and return it; remove an ended job and return None.

        Raises:
            NotFound: There is no such job.
            Conflict: The job changed during every attempt.
        """
        for _ in range(_CANCEL_ATTEMPTS):
            stored = self._load(job_id)
            if not stored.job.is_open:
                self._jobs.remove(stored.job)
                return None
            try:
                return self._jobs.save(stored, stored.job.cancelled(now=datetime.now(UTC))).job
            except Superseded:
                continue
        raise Conflict(f"Job {job_id} changes too fast to be cancelled; try again.")

    def _load(self, job_id: str) -> Stored:
        stored = self._jobs.load(job_id)
        if not stored.job.is_visible_to(user.current()):
            raise NotFound(f"There is no job {job_id}.")
        return stored

    def _items(self, body: JobBody) -> Sequence[InlineItem | UploadItem]:
        if body.documents is not None:
            return self._incoming.items(body.documents)
        prefix = body.prefix or ""
        found = self._uploads.listing(prefix, limit=self._max_documents)
        if not found:
            raise Unprocessable(f"There is nothing under {prefix}; upload documents first.")
        if len(found) > self._max_documents:
            raise Unprocessable(
                f"There are more than {self._max_documents:,} documents under {prefix}; "
                "make several jobs with longer prefixes."
            )
        return [UploadItem(id=document_id(key), key=key, size=size) for key, size in found]


def _require_same_body(job: Job, fingerprint: str) -> Job:
    if job.fingerprint != fingerprint:
        raise Conflict("This Idempotency-Key was used for another body; choose a new key.")
    return job


def _key_hash(creator: User | None, idempotency_key: str) -> str:
    # Each user has keys of their own.
    text = idempotency_key if creator is None else f"{creator.id} {idempotency_key}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _fingerprint(body: JobBody) -> str:
    content = body.model_dump(mode="json")
    for document in content["documents"] or ():
        # Releases without uploads wrote no such field; their jobs keep their fingerprints.
        if document["upload"] is None:
            del document["upload"]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
