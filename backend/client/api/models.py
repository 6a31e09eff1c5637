"""The bodies of the API. Generated from docs/openapi.json: do not edit."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue


class Sent(BaseModel):
    """What a program sends. A field that is not set is not sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Given(BaseModel):
    """What the API answers. Newer releases may add fields."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class AskRequest(Sent):
    """A question about the documents."""

    question: str

    conversation_id: str | None = None
    """From an earlier answer; the question continues that conversation."""

    top_k: int = 5
    """Passages to retrieve."""

    filter: dict[str, JsonValue] | None = None


class Boundary(Given):
    """The category of the question, and what decided it."""

    category: Literal["information", "recommendation", "distress", "fraud"]
    """`information` is answered. A `recommendation` gets general information (`partial`) or
    none (`refused`). `distress` and `fraud` get help at once (`refused`).
    """

    rule: str | None = None
    """The policy's rule, or `guardrail/` and a name; null if none matched."""

    policy_version: str


class Span(Given):
    """A range of characters in the answer."""

    start: int

    end: int


class Citation(Given):
    """A sentence or table row of a passage that parts of the answer rest on."""

    marker: int
    """1 where the answer says `[1]`."""

    document_id: str

    passage_id: str

    title: str | None = None

    page: int | None = None

    as_of: str | None = None
    """ISO date of the facts, from the document's metadata."""

    quote: str
    """Verbatim from the passage."""

    start: int
    """Where the quote starts in the passage."""

    end: int
    """Where the quote ends in the passage."""

    spans: list[Span]
    """Parts of the answer that rest on the quote."""

    score: float
    """Cosine similarity to the question."""


class Removed(Given):
    """A sentence, list item or table row that the passages do not prove, or that recommends."""

    sentence: str

    reason: Literal[
        "no_citation", "number_not_in_source", "unknown_source", "not_supported", "recommendation"
    ]
    """`recommendation`: it says what the reader personally should do."""


class Usage(Given):
    """The model's input and output, in tokens."""

    input_tokens: int = 0

    output_tokens: int = 0


class AskResponse(Given):
    """A checked answer, and the ids that find its trace and log lines."""

    answer: str
    """With a marker, such as `[1]`, for each citation."""

    status: Literal["answered", "partial", "unknown", "refused", "incomplete"]
    """`partial`: sentences were removed, or only general information is given. `unknown`:
    nothing is left, or nothing relevant was found. `refused`: see `boundary`. `incomplete`:
    the model stopped early, see `stop_reason`.
    """

    stop_reason: str | None = None
    """Bedrock's stop reason; null where no model was asked."""

    citations: list[Citation] = []

    removed: list[Removed] = []

    question_figures: list[Span] = []
    """Figures in the answer that occur in the question but in no passage."""

    relevance: Literal["relevant", "irrelevant", "uncalibrated"] | None = None
    """`uncalibrated`: no threshold is known for the embedding model, so every passage was used.
    Null where nothing was retrieved.
    """

    disclosure: str
    """Says that an AI wrote the answer."""

    boundary: Boundary | None = None
    """Null in an answer that an earlier release kept."""

    usage: Usage = Usage(input_tokens=0, output_tokens=0)

    model_id: str | None = None
    """Null where no model was asked."""

    answer_id: str

    conversation_id: str
    """Send it with the next question."""

    trace_id: str | None = None
    """32 hexadecimal digits."""

    request_id: str


class CheckedAnswer(Given):
    """An answer whose figures and sources were checked against the passages that it cites."""

    answer: str
    """With a marker, such as `[1]`, for each citation."""

    status: Literal["answered", "partial", "unknown", "refused", "incomplete"]
    """`partial`: sentences were removed, or only general information is given. `unknown`:
    nothing is left, or nothing relevant was found. `refused`: see `boundary`. `incomplete`:
    the model stopped early, see `stop_reason`.
    """

    stop_reason: str | None = None
    """Bedrock's stop reason; null where no model was asked."""

    citations: list[Citation] = []

    removed: list[Removed] = []

    question_figures: list[Span] = []
    """Figures in the answer that occur in the question but in no passage."""

    relevance: Literal["relevant", "irrelevant", "uncalibrated"] | None = None
    """`uncalibrated`: no threshold is known for the embedding model, so every passage was used.
    Null where nothing was retrieved.
    """

    disclosure: str
    """Says that an AI wrote the answer."""

    boundary: Boundary | None = None
    """Null in an answer that an earlier release kept."""

    usage: Usage = Usage(input_tokens=0, output_tokens=0)

    model_id: str | None = None
    """Null where no model was asked."""


class DocumentBody(Sent):
    """A document with its text."""

    id: str

    title: str | None = None

    metadata: dict[str, str | int | float | bool | list[str]] = {}
    """What queries can filter by: at most 40 keys and 2,000 bytes as JSON."""

    text: str


class DocumentSummary(Given):
    """A stored document without its text."""

    id: str

    title: str | None = None

    metadata: dict[str, JsonValue] = {}

    version: str

    updated_at: datetime
    """ISO 8601, UTC, with milliseconds and `Z`."""

    passages: int

    is_own: bool = False
    """Whether only the user can read it; others are common."""


class DocumentPage(Given):
    """One page of documents."""

    documents: list[DocumentSummary]

    cursor: str | None = None
    """For the next page; null on the last."""


class DocumentsRequest(Sent):
    """Documents to store; stored documents with the same ids are replaced."""

    documents: list[DocumentBody]


class StoredDocument(Given):
    """The stored state of one document."""

    id: str

    passages: int

    version: int | str


class DocumentsResponse(Given):
    """The stored state of the documents of a request."""

    documents: list[StoredDocument]

    passages: int


class ErrorResponse(Given):
    """An error: a stable code, what happened, and what the caller can do."""

    error: str
    """Stable code."""

    detail: str
    """What happened, and what to do."""

    timestamp: datetime | None = None
    """ISO 8601, UTC."""

    request_id: str | None = None
    """Also in every log line."""


class Feedback(Given):
    """A user's rating of an answer; a later rating replaces it."""

    rating: Literal["up", "down"]

    reason: str | None = None


class FoundPassage(Given):
    """A passage that was found."""

    document_id: str

    passage_id: str

    title: str | None = None

    text: str

    score: float | None = None
    """Cosine similarity, -1 to 1; null in mode lexical."""

    lexical: float | None = None
    """BM25 score of the words, at least 0; null in mode dense."""

    fused: float | None = None
    """What mode hybrid ranks by, at most 1; null in the other modes."""

    metadata: dict[str, JsonValue] = {}

    version: str


class GatewayError(Given):
    """An error that the gateway answers before or in place of the service."""

    message: str


class HealthResponse(Given):
    """The state of a service."""

    status: Literal["healthy", "alive", "ready"]

    service: str

    environment: str

    timestamp: datetime | None = None


class IngestedDocument(Sent):
    """A document to ingest: a text as `text`, small files as `data`, large ones as `upload`."""

    id: str

    title: str | None = None
    """By default the title in the document."""

    metadata: dict[str, str | int | float | bool | list[str]] = {}
    """What queries can filter by: at most 40 keys and 2,000 bytes as JSON."""

    text: str | None = None
    """Put longer texts into `data`, or upload them."""

    data: str | None = None
    """Content in base64."""

    upload: str | None = None

    content_type: Literal[
        "text/plain",
        "text/markdown",
        "text/html",
        "application/xhtml+xml",
        "application/pdf",
        "text/csv",
        "text/tab-separated-values",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ] = "text/plain"


class Pages(Given):
    """Consecutive pages of a document, counted from 1."""

    first: int

    last: int


class Problem(Given):
    """A document, or the pages of one, that could not be ingested."""

    document_id: str

    detail: str

    pages: list[Pages] = []


class Waiting(Given):
    """Why an ingestion waits, and until when."""

    reason: str

    until: datetime
    """ISO 8601, UTC, with milliseconds and `Z`."""


class Ingestion(Given):
    """The progress of an ingestion."""

    id: str

    state: Literal["pending", "running", "succeeded", "partial", "failed", "cancelled"]

    total: int | None

    done: int

    partial: int = 0

    failed: int

    errors: list[Problem]

    pages_done: int = 0
    """Pages of the document in work that are ingested."""

    waiting: Waiting | None = None

    created_at: datetime
    """ISO 8601, UTC, with milliseconds and `Z`."""

    updated_at: datetime
    """ISO 8601, UTC, with milliseconds and `Z`."""


class IngestionPage(Given):
    """One page of ingestions, in the order of their ids."""

    ingestions: list[Ingestion]

    unreadable: list[str] = []
    """Ids of ingestions whose stored state is damaged."""

    cursor: str | None = None
    """For the next page; null on the last."""


class IngestionRequest(Sent):
    """Documents to ingest in the background: in the body, or uploaded under a prefix."""

    documents: list[IngestedDocument] | None = None

    prefix: str | None = None
    """For operators: what the keys of files in the jobs bucket begin with."""


class ServiceInfo(Given):
    """The health of a service, as another service sees it through the gateway."""

    service: str

    healthy: bool

    status: int | None = None
    """HTTP status; null without an answer."""

    duration: float
    """Seconds."""

    error: str | None = None
    """Stable code of the error."""

    detail: str | None = None


class InterServiceResponse(Given):
    """The health of several services, requested concurrently."""

    service: str

    healthy: bool

    trace_id: str | None = None
    """32 hexadecimal digits."""

    request_id: str | None = None

    services: dict[str, ServiceInfo]

    timestamp: datetime | None = None


class Turn(Given):
    """A question and its answer."""

    answer_id: str

    asked_at: datetime
    """ISO 8601, UTC, with milliseconds and `Z`."""

    question: str

    answer: CheckedAnswer

    feedback: Feedback | None = None


class KeptConversation(Given):
    """The newest turns of a conversation, oldest first."""

    conversation_id: str

    expires_at: datetime
    """Each new turn postpones it."""

    turns: list[Turn]


class PassageText(Given):
    """A passage of a stored document."""

    passage_id: str

    text: str


class SearchRequest(Sent):
    """Words to find passages for."""

    text: str

    mode: Literal["dense", "lexical", "hybrid"] | None = None
    """`dense` finds similar meaning, `lexical` the same words such as `10-K`, `hybrid` ranks by
    both. null is the mode of the deployment.
    """

    top_k: int = 5
    """Passages to return."""

    filter: dict[str, JsonValue] | None = None


class SearchResponse(Given):
    """The passages that fit the words, best first."""

    passages: list[FoundPassage]

    mode: Literal["dense", "lexical", "hybrid"] = "dense"

    best_score: float | None = None
    """The highest cosine similarity of all passages that were compared, listed or not; null in
    mode lexical.
    """

    embedding_model: str


class StatusResponse(Given):
    """The version of a service, where it runs, and for how long."""

    service: str

    environment: str

    version: str

    region: str

    tracing: bool

    uptime_seconds: float

    timestamp: datetime | None = None


class StoredText(Given):
    """A stored document and its passages, in the order of the text."""

    id: str

    title: str | None = None

    metadata: dict[str, JsonValue] = {}

    version: str

    updated_at: datetime
    """ISO 8601, UTC, with milliseconds and `Z`."""

    passages: int

    is_own: bool = False
    """Whether only the user can read it; others are common."""

    contents: list[PassageText]

    cursor: str | None = None
    """For the next passages of a long document; null with the last."""


class Upload(Given):
    """Where to put a file: one request with this method, these headers and the file as its
    body.
    """

    id: str
    """From POST /uploads; put the content to its URL first."""

    method: Literal["PUT"] = "PUT"

    url: str
    """Presigned for S3: send no API key to it."""

    headers: dict[str, str]
    """All signed. A browser sets content-length itself."""

    expires_at: datetime
    """ISO 8601, UTC, with milliseconds and `Z`."""

    is_stored: bool
    """Whether the file was put there before."""


class UploadRequest(Sent):
    """A file to upload."""

    content_type: Literal[
        "text/plain",
        "text/markdown",
        "text/html",
        "application/xhtml+xml",
        "application/pdf",
        "text/csv",
        "text/tab-separated-values",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ]

    size: int
    """Bytes; the URL takes no other."""

    sha256: str
    """Of the file. The same file has the same id each time."""
