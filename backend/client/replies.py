"""The answers of the API, with the fields that the commands show."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class _Reply(BaseModel):
    # A newer release may add fields.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Citation(_Reply):
    """A quote that supports the answer."""

    marker: int
    document_id: str
    title: str | None = None
    page: int | None = None
    as_of: str | None = None
    quote: str


class Removed(_Reply):
    """A sentence that was left out of the answer."""

    sentence: str
    reason: str


class Answer(_Reply):
    """An answer to a question."""

    answer: str
    status: str
    citations: list[Citation]
    removed: list[Removed] = []
    disclosure: str = ""
    conversation_id: str | None = None
    trace_id: str | None = None


class Passage(_Reply):
    """A passage that was found."""

    document_id: str
    passage_id: str
    title: str | None = None
    text: str
    score: float
    metadata: dict[str, Any] = {}


class Passages(_Reply):
    """The passages that were found, best first."""

    passages: list[Passage]


class ServiceHealth(_Reply):
    """The health of a service."""

    healthy: bool
    status: int | None = None
    duration: float
    detail: str | None = None


class Health(_Reply):
    """The health of all services behind the gateway."""

    healthy: bool
    trace_id: str | None = None
    services: dict[str, ServiceHealth]


class StoredDocument(_Reply):
    """A stored document."""

    id: str
    metadata: dict[str, Any] = {}


class DocumentPage(_Reply):
    """One page of the stored documents."""

    documents: list[StoredDocument]
    cursor: str | None = None


class Upload(_Reply):
    """Where to put a file."""

    id: str
    method: str
    url: str
    headers: dict[str, str]
    is_stored: bool


class Pages(_Reply):
    """Consecutive pages."""

    first: int
    last: int


class Problem(_Reply):
    """Why a document, or some of its pages, were not ingested."""

    document_id: str
    detail: str
    pages: list[Pages] = []


class Waiting(_Reply):
    """Why an ingestion waits."""

    reason: str


class Ingestion(_Reply):
    """The progress of an ingestion."""

    id: str
    state: Literal["pending", "running", "succeeded", "partial", "failed", "cancelled"]
    total: int | None = None
    done: int
    failed: int
    errors: list[Problem]
    waiting: Waiting | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has work left."""
        return self.state in {"pending", "running"}
