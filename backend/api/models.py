"""Request and response bodies of the api service."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Answer(BaseModel):
    # What another service adds to its answer later must not break this one.
    model_config = ConfigDict(extra="ignore", frozen=True)


Filter = Annotated[
    dict[str, JsonValue] | None,
    Field(description="A metadata filter in the syntax of S3 Vectors."),
]
Metadata = dict[
    Annotated[str, StringConstraints(min_length=1, max_length=64)],
    str | int | float | bool | list[str],
]


class AskRequest(_Request):
    """A question about the documents."""

    question: Annotated[
        str, StringConstraints(min_length=1, max_length=4_000, strip_whitespace=True)
    ]
    top_k: Annotated[int, Field(ge=1, le=20, description="Passages to retrieve.")] = 5
    filter: Filter = None


class Citation(_Answer):
    """A passage that the answer rests on."""

    document_id: str
    passage_id: str
    title: str | None = None
    passage: str
    score: float


class Usage(_Answer):
    """Tokens that the model read and wrote."""

    input_tokens: int
    output_tokens: int


class AskResponse(_Answer):
    """An answer, and what it rests on."""

    answer: str
    citations: list[Citation]
    usage: Usage
    model_id: str
    trace_id: Annotated[str | None, Field(description="32 hexadecimal digits.")] = None
    request_id: str


class ChatAnswer(_Answer):
    """What the chat service answers."""

    class Turn(_Answer):
        """The assistant's turn."""

        content: str

    message: Turn
    citations: list[Citation]
    usage: Usage
    model_id: str


class Document(_Request):
    """A text to store under an id of the caller's."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
    text: Annotated[str, StringConstraints(min_length=1, max_length=50_000)]
    title: Annotated[str, StringConstraints(max_length=300)] | None = None
    metadata: Annotated[Metadata, Field(max_length=50)] | None = None


class DocumentsRequest(_Request):
    """Documents to store; one that exists is replaced."""

    documents: Annotated[list[Document], Field(min_length=1, max_length=100)]


class StoredDocument(_Answer):
    """One document as it is stored now."""

    id: str
    passages: int
    version: int | str


class DocumentsResponse(_Answer):
    """What was stored."""

    documents: list[StoredDocument]
    passages: int


class IngestionRequest(_Request):
    """Documents to ingest in the background: given here, or files under a prefix of the bucket."""

    documents: Annotated[list[Document], Field(min_length=1, max_length=1_000)] | None = None
    prefix: (
        Annotated[str, StringConstraints(pattern=r"^uploads/[A-Za-z0-9!_.*'()/-]{0,500}$")] | None
    ) = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.documents is None) == (self.prefix is None):
            raise ValueError("give either documents or prefix")
        return self


class Problem(_Answer):
    """A document that could not be ingested."""

    document_id: str
    detail: str


class Waiting(_Answer):
    """Why an ingestion makes no progress just now, and when it is tried again."""

    reason: str
    until: AwareDatetime


class Ingestion(_Answer):
    """The progress of an ingestion."""

    id: str
    state: Literal["pending", "running", "succeeded", "failed", "cancelled"]
    total: int | None
    done: int
    failed: int
    errors: list[Problem]
    waiting: Waiting | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime


def body_of(request: BaseModel) -> dict[str, Any]:
    """Return a request as the JSON body to pass on, without what was not given."""
    return request.model_dump(mode="json", exclude_none=True)
