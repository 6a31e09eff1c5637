"""A job, how it moves on, and where it is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

State = Literal["pending", "running", "succeeded", "failed", "cancelled"]

MAX_ERRORS = 100
"""Errors that a job keeps, so that its object stays small; `failed` counts them all."""

_BACKOFF_SECONDS = 5.0
_MAX_BACKOFF_SECONDS = 300.0


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class DocumentFailure(_Record):
    """Why one document was not ingested."""

    document_id: str
    detail: str


class Cursor(_Record):
    """The place of the next work: document `index`, of which `parts` are stored.

    `section` and `offset` say where in the document's text the next part begins.
    """

    index: Annotated[int, Field(ge=0)] = 0
    parts: Annotated[int, Field(ge=0)] = 0
    section: Annotated[int, Field(ge=0)] = 0
    offset: Annotated[int, Field(ge=0)] = 0

    def next_document(self) -> "Cursor":
        """Return the beginning of the next document."""
        return Cursor(index=self.index + 1)


class Lease(_Record):
    """Who works on a job, and until when nobody else does."""

    holder: str
    until: AwareDatetime


class Waiting(_Record):
    """Why a job made no progress, and when it is tried again."""

    reason: str
    until: AwareDatetime


class Job(_Record):
    """The state of a job, as it is stored.

    `commit` names the write that made this state: who wrote it recognises it. `attempts` counts
    the slices since the last progress that ended by the document's fault or by a killed instance;
    `waits` counts all slices since then that ended early.
    """

    format: Literal[1] = 1
    id: str
    commit: str = ""
    fingerprint: str
    items_key: str
    state: State = "pending"
    total: Annotated[int, Field(ge=0)]
    done: Annotated[int, Field(ge=0)] = 0
    failed: Annotated[int, Field(ge=0)] = 0
    errors: tuple[DocumentFailure, ...] = ()
    cursor: Cursor = Cursor()
    attempts: int = 0
    waits: int = 0
    waiting: Waiting | None = None
    lease: Lease | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @property
    def is_open(self) -> bool:
        """Whether there is work left to do."""
        return self.state in {"pending", "running"}

    def blocked_seconds(self, now: datetime) -> float:
        """Return for how long nobody may begin a slice; 0 where anybody may."""
        moments = [held.until for held in (self.lease, self.waiting) if held is not None]
        return max([0.0, *((moment - now).total_seconds() for moment in moments)])

    def begun(self, holder: str, *, now: datetime, seconds: float) -> Self:
        """Return the job with a lease, and this attempt counted until it shows progress."""
        return self._changed(
            now,
            state="running",
            attempts=self.attempts + 1,
            lease=Lease(holder=holder, until=now + timedelta(seconds=seconds)),
        )

    def advanced(
        self, cursor: Cursor, *, done: int, failures: tuple[DocumentFailure, ...], now: datetime
    ) -> Self:
        """Return the job after progress, still under its lease."""
        return self._changed(
            now,
            cursor=cursor,
            done=self.done + done,
            failed=self.failed + len(failures),
            errors=(self.errors + failures)[:MAX_ERRORS],
            attempts=0,
            waits=0,
            waiting=None,
        )

    def given_up(self, document_id: str, *, now: datetime) -> Self:
        """Return the job past the document that it cannot get over."""
        reason = self.waiting.reason if self.waiting else "the runner ended while working on it"
        failure = DocumentFailure(
            document_id=document_id,
            detail=f"Given up after {self.attempts - 1} attempts; the last one: {reason}",
        )
        return self.advanced(self.cursor.next_document(), done=0, failures=(failure,), now=now)

    def released(self, *, now: datetime) -> Self:
        """Return the job free for the next slice; one that did nothing is no attempt."""
        return self._changed(now, lease=None, attempts=max(0, self.attempts - 1))

    def stalled(
        self, reason: str, *, blames_document: bool, after: float | None, now: datetime
    ) -> Self:
        """Return the job free for a later slice, the later the more often it stalled.

        Args:
            reason: What stopped the slice.
            blames_document: Whether it may be the document's fault.
            after: Seconds that whoever refused asked to wait for.
            now: The present.
        """
        backoff = min(_MAX_BACKOFF_SECONDS, _BACKOFF_SECONDS * 2 ** min(self.waits, 10))
        seconds = min(_MAX_BACKOFF_SECONDS, max(backoff, after or 0.0))
        return self._changed(
            now,
            lease=None,
            waits=self.waits + 1,
            attempts=self.attempts if blames_document else max(0, self.attempts - 1),
            waiting=Waiting(reason=reason, until=now + timedelta(seconds=seconds)),
        )

    def ended(self, *, now: datetime) -> Self:
        """Return the job after its last document: failed only where nothing was ingested."""
        return self._changed(
            now, state="succeeded" if self.done else "failed", lease=None, waiting=None
        )

    def cancelled(self, *, now: datetime) -> Self:
        """Return the job that goes no further; what it has ingested stays."""
        return self._changed(now, state="cancelled", lease=None, waiting=None)

    def _changed(self, now: datetime, **changes: Any) -> Self:
        return self.model_copy(update={**changes, "updated_at": now})


@dataclass(frozen=True)
class Stored:
    """A job as it was read or written; `etag` is what the next write must still find."""

    job: Job
    etag: str


@dataclass(frozen=True)
class JobPage:
    """Some jobs in the order of their ids. `cursor` is None on the last page.

    `unreadable` are ids of jobs whose objects are damaged.
    """

    jobs: list[Job]
    unreadable: list[str]
    cursor: str | None


class Superseded(Exception):
    """The job was changed by somebody else since it was read."""


class JobStore(Protocol):
    """Where jobs live. Any instance may call it; every write is conditional.

    All methods raise `Unavailable` or `BadDependency` where the storage fails. Those that read
    raise `NotFound` for an unknown job, and `BadDependency` with its name for a damaged one.
    """

    def create(self, job: Job, items: bytes) -> Stored:
        """Store a new job with its documents; return the one that is there if it exists."""

    def load(self, job_id: str) -> Stored:
        """Return a job."""

    def items(self, job: Job) -> bytes:
        """Return the documents of a job as they were given to `create`."""

    def save(self, stored: Stored, job: Job) -> Stored:
        """Write the next state of a job; `Superseded` where it is not what was read."""

    def page(self, *, only_open: bool, limit: int, after: str | None) -> JobPage:
        """Return the jobs whose ids follow `after`."""

    def remove(self, job: Job) -> None:
        """Delete an ended job and its documents."""
