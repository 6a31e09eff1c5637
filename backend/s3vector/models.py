"""Request and response bodies of the s3vector service."""

from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    Strict,
    model_validator,
)

from s3vector.ownership import Excerpt, is_own
from s3vector.search import Mode
from s3vector.store import DocumentRecord, Hits, StoreStats
from shared.description.examples import DOCUMENT_EXAMPLE, with_examples
from shared.documents import DocumentBody, DocumentText, require_distinct_ids
from shared.models import Timestamp

MAX_DOCUMENTS = 100
MAX_TEXTS = 100
MAX_DIMENSIONS = 4096

Number = Annotated[FiniteFloat, Strict()]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PutDocuments(_Body):
    """Documents to store; stored documents with the same ids are replaced."""

    model_config = with_examples({"documents": [DOCUMENT_EXAMPLE]})

    documents: Annotated[
        list[DocumentBody],
        Field(min_length=1, max_length=MAX_DOCUMENTS),
        AfterValidator(require_distinct_ids),
    ]


class StoredDocument(_Body):
    """The stored state of one document."""

    id: str
    passages: int
    version: Annotated[str, Field(description="The same for the same content.")]


class StoredDocuments(_Body):
    """The stored state of the documents of a request."""

    documents: list[StoredDocument]
    passages: Annotated[int, Field(description="The passages of all documents.")]

    @classmethod
    def of(cls, records: list[DocumentRecord]) -> Self:
        return cls(
            documents=[
                StoredDocument(id=one.id, passages=one.passages, version=one.version)
                for one in records
            ],
            passages=sum(one.passages for one in records),
        )


class DocumentSummary(_Body):
    """A stored document without its text."""

    id: str
    title: str | None
    metadata: dict[str, Any]
    version: str
    updated_at: Timestamp
    passages: int
    is_own: Annotated[
        bool, Field(description="Whether only the user can read it; others are common.")
    ] = False

    @classmethod
    def of(cls, record: DocumentRecord) -> Self:
        return cls(
            id=record.id,
            title=record.title,
            metadata=dict(record.metadata),
            version=record.version,
            updated_at=record.updated_at,
            passages=record.passages,
            is_own=is_own(record.owner),
        )


class PassageBody(_Body):
    """A passage of a stored document."""

    passage_id: str
    text: str


class DocumentDetail(DocumentSummary):
    """A stored document and its passages, in the order of the text."""

    contents: list[PassageBody]
    cursor: Annotated[
        str | None,
        Field(description="For the next passages of a long document; null with the last."),
    ] = None

    @classmethod
    def with_passages(cls, excerpt: Excerpt) -> Self:
        return cls(
            **DocumentSummary.of(excerpt.record).model_dump(),
            contents=[
                PassageBody(passage_id=_passage_id(part.record.id, number), text=one.text)
                for part in excerpt.parts
                for number, one in enumerate(part.passages)
            ],
            cursor=None if excerpt.following is None else str(excerpt.following),
        )


class DocumentPage(_Body):
    """One page of documents."""

    documents: list[DocumentSummary]
    cursor: Annotated[str | None, Field(description="For the next page; null on the last.")] = None


class Query(_Body):
    """A question, as text or as a vector."""

    model_config = with_examples(
        {"text": "emergency fund", "top_k": 3, "filter": {"year": {"$gte": 2024}}}
    )

    text: Annotated[
        DocumentText | None, Field(examples=["How much should I keep for emergencies?"])
    ] = None
    vector: Annotated[
        list[Number] | None,
        Field(
            min_length=1,
            max_length=MAX_DIMENSIONS,
            description="As many numbers as the service's embeddings have, not all zero.",
        ),
    ] = None
    mode: Annotated[
        Mode | None,
        Field(
            description="`dense` finds similar meaning, `lexical` the same words such as `10-K`, "
            "`hybrid` ranks by both. null is dense for a vector, SEARCH_MODE for a text."
        ),
    ] = None
    top_k: Annotated[int, Strict(), Field(ge=1, le=100)] = 5
    filter: Annotated[
        dict[str, Any] | None,
        Field(
            description="Metadata filter in the syntax of Amazon S3 Vectors.",
            examples=[{"topic": "savings", "year": {"$gte": 2024}}],
        ),
    ] = None

    per_document: Annotated[
        int | None,
        Strict(),
        Field(ge=1, le=100, description="The most passages of one document; null for any number."),
    ] = None

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.text is None) == (self.vector is None):
            raise ValueError("give either text or vector")
        if self.text is None and self.mode in {"lexical", "hybrid"}:
            raise ValueError(f"mode {self.mode} compares words: give text instead of vector")
        return self


class FoundPassage(_Body):
    """A passage that was found."""

    document_id: str
    passage_id: str
    title: str | None
    text: str
    score: Annotated[
        float | None, Field(description="Cosine similarity, -1 to 1; null in mode lexical.")
    ]
    lexical: Annotated[
        float | None,
        Field(description="BM25 score of the words, at least 0; null in mode dense."),
    ] = None
    fused: Annotated[
        float | None,
        Field(description="What mode hybrid ranks by, at most 1; null in the other modes."),
    ] = None
    metadata: dict[str, Any]
    version: Annotated[str, Field(description="The document's: the same for the same content.")]
    owner: Annotated[
        str | None, Field(description="The pseudonym of the owner; null for all documents without.")
    ] = None


class Found(_Body):
    """The passages that fit the question, best first."""

    passages: list[FoundPassage]
    mode: Mode
    best_score: Annotated[
        float | None,
        Field(
            description="The highest cosine similarity of all passages that were compared, listed "
            "or not; null in mode lexical."
        ),
    ] = None
    embedding_model: Annotated[
        str, Field(description="The model of the vectors; the scale of scores depends on it.")
    ]

    @classmethod
    def of(cls, hits: Hits, *, mode: Mode, embedding_model: str) -> Self:
        return cls(
            mode=mode,
            best_score=hits.best_score,
            embedding_model=embedding_model,
            passages=[
                FoundPassage(
                    document_id=hit.document_id,
                    passage_id=_passage_id(hit.document_id, hit.number),
                    title=hit.title,
                    text=hit.text,
                    score=hit.score,
                    lexical=hit.lexical,
                    fused=hit.fused,
                    metadata=dict(hit.metadata),
                    version=hit.version,
                    owner=hit.owner,
                )
                for hit in hits
            ],
        )


class Texts(_Body):
    """Texts to embed."""

    model_config = with_examples({"texts": ["How much should I keep for emergencies?"]})

    texts: Annotated[list[DocumentText], Field(min_length=1, max_length=MAX_TEXTS)]


class Embeddings(_Body):
    """A vector of length 1 for each text, in the order of the texts."""

    embeddings: list[list[float]]
    dimensions: int
    model_id: str


class Stats(_Body):
    """The size of the store; null for what its engine does not report."""

    backend: str
    model_id: str
    dimensions: int
    documents: int | None
    passages: int | None
    stored_bytes: int | None
    capacity_bytes: int | None
    segments: int | None

    @classmethod
    def of(cls, stats: StoreStats, *, model_id: str, dimensions: int) -> Self:
        return cls(
            backend=stats.backend,
            model_id=model_id,
            dimensions=dimensions,
            documents=stats.documents,
            passages=stats.passages,
            stored_bytes=stats.stored_bytes,
            capacity_bytes=stats.capacity_bytes,
            segments=stats.segments,
        )


def _passage_id(document_id: str, number: int) -> str:
    return f"{document_id}#{number}"
