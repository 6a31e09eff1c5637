"""Request and response bodies of the api service."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from shared.answers import ConversationId, GivenAnswer
from shared.documents import DocumentBody, DocumentText, MetadataFilter, require_distinct_ids


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Answer(BaseModel):
    # Other services may add fields to their answers.
    model_config = ConfigDict(extra="ignore", frozen=True)


class AskRequest(_Request):
    """A question about the documents."""

    question: Annotated[
        str, StringConstraints(min_length=1, max_length=4_000, strip_whitespace=True)
    ]
    conversation_id: Annotated[
        ConversationId | None,
        Field(description="From an earlier answer; the question continues that conversation."),
    ] = None
    top_k: Annotated[int, Field(ge=1, le=20, description="Passages to retrieve.")] = 5
    filter: MetadataFilter | None = None


class AskResponse(GivenAnswer):
    """A checked answer, and the ids that find its trace and log lines."""

    trace_id: Annotated[str | None, Field(description="32 hexadecimal digits.")] = None
    request_id: str


class DocumentsRequest(_Request):
    """Documents to store; stored documents with the same ids are replaced."""

    documents: Annotated[
        list[DocumentBody],
        Field(min_length=1, max_length=100),
        AfterValidator(require_distinct_ids),
    ]


class StoredDocument(_Answer):
    """The stored state of one document."""

    id: str
    passages: int
    version: int | str


class DocumentsResponse(_Answer):
    """The stored state of the documents of a request."""

    documents: list[StoredDocument]
    passages: int


class SearchRequest(_Request):
    """Words to find passages for."""

    text: DocumentText
    top_k: Annotated[int, Field(ge=1, le=100, description="Passages to return.")] = 5
    filter: MetadataFilter | None = None


class FoundPassage(_Answer):
    """A passage that was found."""

    document_id: str
    passage_id: str
    title: str | None = None
    text: str
    score: Annotated[float, Field(description="Cosine similarity, -1 to 1.")]
    metadata: dict[str, JsonValue] = {}
    version: str


class SearchResponse(_Answer):
    """The passages nearest to the words, best first."""

    passages: list[FoundPassage]
    embedding_model: str


class DocumentSummary(_Answer):
    """A stored document without its text."""

    id: str
    title: str | None = None
    metadata: dict[str, JsonValue] = {}
    version: str
    updated_at: AwareDatetime
    passages: int
    is_own: Annotated[
        bool, Field(description="Whether only the user can read it; others are common.")
    ] = False


class DocumentPage(_Answer):
    """One page of documents."""

    documents: list[DocumentSummary]
    cursor: Annotated[str | None, Field(description="For the next page; null on the last.")] = None


class PassageText(_Answer):
    """A passage of a stored document."""

    passage_id: str
    text: str


class StoredText(DocumentSummary):
    """A stored document and its passages, in the order of the text."""

    contents: list[PassageText]


class IngestionRequest(_Request):
    """Documents to ingest in the background: in the body, or uploaded under a prefix."""

    documents: (
        Annotated[
            list[DocumentBody],
            Field(min_length=1, max_length=1_000),
            AfterValidator(require_distinct_ids),
        ]
        | None
    ) = None
    prefix: (
        Annotated[str, StringConstraints(pattern=r"^uploads/[A-Za-z0-9!_.*'()/-]{0,500}$")] | None
    ) = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.documents is None) == (self.prefix is None):
            raise ValueError("give either documents or prefix")
        return self


class Pages(_Answer):
    """Consecutive pages of a document, counted from 1."""

    first: int
    last: int


class Problem(_Answer):
    """A document, or the pages of one, that could not be ingested."""

    document_id: str
    detail: str
    pages: list[Pages] = []


class Waiting(_Answer):
    """Why an ingestion waits, and until when."""

    reason: str
    until: AwareDatetime


class Ingestion(_Answer):
    """The progress of an ingestion."""

    id: str
    state: Literal["pending", "running", "succeeded", "partial", "failed", "cancelled"]
    total: int | None
    done: int
    partial: int = 0
    failed: int
    errors: list[Problem]
    pages_done: Annotated[
        int, Field(description="Pages of the document in work that are ingested.")
    ] = 0
    waiting: Waiting | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime


def body_of(request: BaseModel) -> dict[str, Any]:
    """Return a request as JSON for another service, without fields that are null."""
    return request.model_dump(mode="json", exclude_none=True)
