"""Request and response bodies of the api service."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from shared.answers import ConversationId, GivenAnswer
from shared.description.examples import DOCUMENT_EXAMPLE, with_examples
from shared.documents import DocumentBody, DocumentText, MetadataFilter, require_distinct_ids
from shared.ingestion.documents import (
    MAX_INGESTED_DOCUMENTS,
    IngestedDocument,
    UploadPrefix,
    one_source,
    refuse_part_id,
)
from shared.models import Timestamp


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Answer(BaseModel):
    # Other services may add fields to their answers.
    model_config = ConfigDict(extra="ignore", frozen=True)


class AskRequest(_Request):
    """A question about the documents."""

    model_config = with_examples({"question": "How much should I keep for emergencies?"})

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


def _refuse_parts(documents: list[DocumentBody]) -> list[DocumentBody]:
    for one in documents:
        refuse_part_id(one.id)
    return documents


Documents = Annotated[
    list[DocumentBody],
    Field(min_length=1, max_length=100),
    AfterValidator(require_distinct_ids),
    AfterValidator(_refuse_parts),
]


class DocumentsRequest(_Request):
    """Documents to store; stored documents with the same ids are replaced."""

    model_config = with_examples({"documents": [DOCUMENT_EXAMPLE]})

    documents: Documents


class StoredDocument(_Answer):
    """The stored state of one document."""

    id: str
    passages: int
    version: int | str


class DocumentsResponse(_Answer):
    """The stored state of the documents of a request."""

    documents: list[StoredDocument]
    passages: int


SearchMode = Literal["dense", "lexical", "hybrid"]


class SearchRequest(_Request):
    """Words to find passages for."""

    model_config = with_examples(
        {"text": "emergency fund", "top_k": 3, "filter": {"year": {"$gte": 2024}}}
    )

    text: DocumentText
    mode: Annotated[
        SearchMode | None,
        Field(
            description="`dense` finds similar meaning, `lexical` the same words such as `10-K`, "
            "`hybrid` ranks by both. null is the mode of the deployment."
        ),
    ] = None
    top_k: Annotated[int, Field(ge=1, le=100, description="Passages to return.")] = 5
    filter: MetadataFilter | None = None


class FoundPassage(_Answer):
    """A passage that was found."""

    document_id: str
    passage_id: str
    title: str | None = None
    text: str
    score: Annotated[
        float | None, Field(description="Cosine similarity, -1 to 1; null in mode lexical.")
    ] = None
    lexical: Annotated[
        float | None,
        Field(description="BM25 score of the words, at least 0; null in mode dense."),
    ] = None
    fused: Annotated[
        float | None,
        Field(description="What mode hybrid ranks by, at most 1; null in the other modes."),
    ] = None
    metadata: dict[str, JsonValue] = {}
    version: str


class SearchResponse(_Answer):
    """The passages that fit the words, best first."""

    passages: list[FoundPassage]
    mode: SearchMode = "dense"
    best_score: Annotated[
        float | None,
        Field(
            description="The highest cosine similarity of all passages that were compared, listed "
            "or not; null in mode lexical."
        ),
    ] = None
    embedding_model: str


class DocumentSummary(_Answer):
    """A stored document without its text."""

    id: str
    title: str | None = None
    metadata: dict[str, JsonValue] = {}
    version: str
    updated_at: Timestamp
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
    cursor: Annotated[
        str | None,
        Field(description="For the next passages of a long document; null with the last."),
    ] = None


class IngestionRequest(_Request):
    """Documents to ingest in the background: in the body, or uploaded under a prefix."""

    model_config = with_examples({"documents": [DOCUMENT_EXAMPLE]}, {"prefix": "uploads/2026/"})

    documents: (
        Annotated[
            list[IngestedDocument],
            Field(min_length=1, max_length=MAX_INGESTED_DOCUMENTS),
            AfterValidator(require_distinct_ids),
        ]
        | None
    ) = None
    prefix: Annotated[
        UploadPrefix | None,
        Field(
            description="For operators: what the keys of files in the jobs bucket begin with.",
            examples=["uploads/2026/"],
        ),
    ] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        one_source(self.documents, self.prefix)
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
    until: Timestamp


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
    created_at: Timestamp
    updated_at: Timestamp


class IngestionPage(_Answer):
    """One page of ingestions, in the order of their ids."""

    ingestions: Annotated[
        list[Ingestion], Field(validation_alias=AliasChoices("ingestions", "jobs"))
    ]
    unreadable: Annotated[
        list[str], Field(description="Ids of ingestions whose stored state is damaged.")
    ] = []
    cursor: Annotated[str | None, Field(description="For the next page; null on the last.")] = None


def body_of(request: BaseModel) -> dict[str, Any]:
    """Return a request as JSON for another service, without fields that are null."""
    return request.model_dump(mode="json", exclude_none=True)
