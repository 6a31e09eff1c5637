"""What a vector store holds, and what each adapter can do with it."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from s3vector.filters import Filter

# array("f"): four bytes a number, without importing numpy where nothing is searched.
type Vector = array[float]
type Scalar = str | int | float | bool
type MetadataValue = Scalar | list[str]
type Metadata = Mapping[str, MetadataValue]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document; `vector` is None where the reader did not ask for vectors."""

    text: str
    vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """What is known of a document without its passages.

    `version` is a hash of the content and of how it was embedded: equal content, equal version.
    """

    id: str
    title: str | None
    metadata: Metadata
    version: str
    updated_at: str
    passages: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document with its passages, in the order of the text."""

    record: DocumentRecord
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a query found; `score` is the cosine similarity, -1 to 1."""

    document_id: str
    number: int
    title: str | None
    text: str
    score: float
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and where to continue; no cursor means that there are no more."""

    records: tuple[DocumentRecord, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class StoreStats:
    """The size of a store; None where the engine behind it does not count."""

    backend: str
    documents: int | None
    passages: int | None
    stored_bytes: int | None
    capacity_bytes: int | None
    segments: int | None


class VectorStore(Protocol):
    """Documents by id, and their passages by nearness.

    Every method blocks, and raises the errors of `shared.errors`: `Unavailable` and
    `BadDependency` when the engine cannot serve, `Conflict` when what it holds was embedded in
    another vector space than this service's, `CapacityExceeded` when it may not grow.
    """

    def put(self, documents: Sequence[Document]) -> None:
        """Replace the documents of the same ids; a reader sees all of a document or none."""

    def get(self, ids: Sequence[str], *, vectors: bool = False) -> dict[str, Document]:
        """Return those of the documents that exist."""

    def delete(self, document_id: str) -> bool:
        """Remove a document; false when there was none."""

    def page(self, limit: int, cursor: str | None) -> Page:
        """Return up to `limit` records, each document once over all pages."""

    def query(self, vector: Sequence[float], top_k: int, where: "Filter | None") -> list[Hit]:
        """Return the nearest passages, best first; `vector` has the store's dimension."""

    def stats(self) -> StoreStats:
        """Return the size of the store."""

    def check(self) -> None:
        """Return when the engine can be reached, raise when not."""
