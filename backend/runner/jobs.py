"""A job, its state transitions, and the store of jobs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from runner.failures import DocumentFailure, joined
from shared.request.user import User

State = Literal["pending", "running", "succeeded", "partial", "failed", "cancelled"]

_BACKOFF_SECONDS = 5.0
_MAX_BACKOFF_SECONDS = 300.0


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Cursor(_Record):
    """The position of a job: document `index`, of which `parts` parts are stored.

    The next part begins at character `offset` of section `section`. A section is a page of a PDF;
    text, Markdown and HTML have one section. Of the document's pages, `unread` could not be read,
    and `crashes` of these ended the parser.
    """

    index: Annotated[int, Field(ge=0)] = 0
    parts: Annotated[int, Field(ge=0)] = 0
    section: Annotated[int, Field(ge=0)] = 0
    offset: Annotated[int, Field(ge=0)] = 0
    unread: Annotated[int, Field(ge=0)] = 0
    crashes: Annotated[int, Field(ge=0)] = 0

    def next_document(self) -> "Cursor":
        """Return the position of the next document."""
        return Cursor(index=self.index + 1)


class Lease(_Record):
    """The exclusive right of one worker to a job, until a time."""

    holder: str
    until: AwareDatetime


class Waiting(_Record):
    """Why a job waits, and until when."""

    reason: str
    until: AwareDatetime


class Job(_Record):
    """The state of a job, as it is stored.

    `commit` is the id of the write that stored this state. A writer that got an error from S3 finds
    its own id here if S3 stored the state despite the error. `attempts` counts the slices that
    failed because of a document or a killed instance, `waits` all slices that failed; progress sets
    both to 0. `done` includes the documents in `partial`, of which some pages could not be read.
    `user` is who created the job, and whose documents it ingests.
    """

    format: Literal[1] = 1
    id: str
    commit: str = ""
    fingerprint: str
    items_key: str
    user: User | None = None
    state: State = "pending"
    total: Annotated[int, Field(ge=0)]
    done: Annotated[int, Field(ge=0)] = 0
    partial: Annotated[int, Field(ge=0)] = 0
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
        """Whether the job has work left."""
        return self.state in {"pending", "running"}

    @property
    def pages_done(self) -> int:
        """How many pages of the document in work are ingested."""
        return self.cursor.section

    def is_visible_to(self, user: User | None) -> bool:
        """Whether a user created the job; a request without a user is the operator's."""
        return user is None or (self.user is not None and self.user.id == user.id)

    def blocked_seconds(self, now: datetime) -> float:
        """Return the seconds until a slice may begin; 0 if it may begin now."""
        blocks = [one.until for one in (self.lease, self.waiting) if one is not None]
        return max([0.0, *((until - now).total_seconds() for until in blocks)])

    def begun(self, holder: str, *, now: datetime, seconds: float) -> Self:
        """Return the job with a lease and one attempt more.

        The attempt is counted in advance, because a killed instance cannot count it.
        """
        return self._changed(
            now,
            state="running",
            attempts=self.attempts + 1,
            lease=Lease(holder=holder, until=now + timedelta(seconds=seconds)),
        )

    def advanced(
        self,
        cursor: Cursor,
        *,
        done: int,
        partial: int = 0,
        failures: tuple[DocumentFailure, ...],
        now: datetime,
    ) -> Self:
        """Return the job after progress, with its lease."""
        return self._changed(
            now,
            cursor=cursor,
            done=self.done + done,
            partial=self.partial + partial,
            failed=self.failed + sum(not failure.pages for failure in failures),
            errors=joined(self.errors, failures),
            attempts=0,
            waits=0,
            waiting=None,
        )

    def given_up(self, document_id: str, *, now: datetime) -> Self:
        """Return the job after skipping the document that failed in every attempt."""
        reason = self.waiting.reason if self.waiting else "the runner ended while working on it"
        failure = DocumentFailure(
            document_id=document_id,
            detail=f"Given up after {self.attempts - 1} attempts; the last one: {reason}",
        )
        return self.advanced(self.cursor.next_document(), done=0, failures=(failure,), now=now)

    def released(self, *, now: datetime) -> Self:
        """Return the job without its lease, and without the attempt that `begun` counted."""
        return self._changed(now, lease=None, attempts=max(0, self.attempts - 1))

    def stalled(
        self, reason: str, *, blames_document: bool, after: float | None, now: datetime
    ) -> Self:
        """Return the job without its lease, waiting with exponential back-off.

        Args:
            reason: What stopped the slice.
            blames_document: Whether the document may be the cause.
            after: The seconds in the `Retry-After` of the failed request, or None.
            now: The current time.
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
        """Return the job after its last document.

        It failed if no document was ingested, and is partial if a document or a page was not.
        """
        state: State = "failed"
        if self.done:
            state = "partial" if self.failed or self.partial else "succeeded"
        return self._changed(now, state=state, lease=None, waiting=None)

    def cancelled(self, *, now: datetime) -> Self:
        """Return the job, cancelled. Documents that it has ingested stay in the store."""
        return self._changed(now, state="cancelled", lease=None, waiting=None)

    def _changed(self, now: datetime, **changes: Any) -> Self:
        return self.model_copy(update={**changes, "updated_at": now})


@dataclass(frozen=True)
class Stored:
    """A job as it was read or written; the next write is conditional on `etag`."""

    job: Job
    etag: str


@dataclass(frozen=True)
class JobPage:
    """One page of jobs, in the order of their ids; `cursor` is None on the last.

    `unreadable` are the ids of jobs whose objects are damaged.
    """

    jobs: list[Job]
    unreadable: list[str]
    cursor: str | None


class Superseded(Exception):
    """Another worker or a caller changed the job since it was read."""


class JobStore(Protocol):
    """The store of jobs, shared by all instances; every write of a state is conditional.

    Raises:
        Unavailable: The storage failed; another attempt may work.
        BadDependency: The storage refused the request, or a job is damaged.
        NotFound: There is no such job.
    """

    def create(self, job: Job, items: bytes) -> Stored:
        """Store a new job with its documents; if the job exists, return that one."""

    def load(self, job_id: str) -> Stored:
        """Return a job."""

    def items(self, job: Job) -> bytes:
        """Return the documents of an open job as they were passed to `create`.

        Raises:
            Superseded: The job has ended since it was read.
        """

    def save(self, stored: Stored, job: Job) -> Stored:
        """Write the next state of a job, and delete its documents if it has ended.

        Raises:
            Superseded: The stored state has changed.
        """

    def page(self, *, only_open: bool, limit: int, after: str | None) -> JobPage:
        """Return the jobs whose ids follow `after`."""

    def remove(self, job: Job) -> None:
        """Delete an ended job and its documents."""
