"""The vector store: its records, and the operations that every adapter implements."""

from array import array
from collections.abc import Iterable, Sequence
from copy import replace
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from s3vector.filters import Filter
from shared.documents import Metadata

# array("f") uses four bytes a number and, unlike numpy, costs no import time.
type Vector = array[float]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document; `vector` is None unless the reader asked for vectors."""

    text: str
    vector: Vector | None = None


class DocumentRecord(NamedTuple):
    """A document without its passages.

    `version` is a hash of the content, the model and the dimension. `passages` is their number.
    `owner` is None for common documents; the engines store it in the metadata.
    """

    id: str
    title: str | None
    metadata: Metadata
    version: str
    updated_at: str
    passages: int
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document and its passages, in the order of the text."""

    record: DocumentRecord
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found by a query.

    Attributes:
        number: Its index in the document.
        score: The cosine similarity, -1 to 1; None if only words were compared.
        lexical: The BM25 score, at least 0; None if only vectors were compared.
        fused: What both together are ranked by; None if only one of them was compared.
    """

    document_id: str
    number: int
    title: str | None
    text: str
    score: float | None
    metadata: Metadata
    version: str
    owner: str | None = None
    lexical: float | None = None
    fused: float | None = None


class Hits(list[Hit]):
    """The hits of a query, best first.

    `best_score` is the highest cosine similarity of all passages that were compared, whether it is
    among the hits or not; None if only words were compared, or nothing.
    """

    def __init__(self, hits: Iterable[Hit] = (), *, best_score: float | None = None) -> None:
        super().__init__(hits)
        self.best_score = best_score


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records; `cursor` is None on the last page."""

    records: tuple[DocumentRecord, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class StoreStats:
    """The size of a store; None for what the engine does not report."""

    backend: str
    documents: int | None
    passages: int | None
    stored_bytes: int | None
    capacity_bytes: int | None
    segments: int | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """How many objects or vectors with deleted texts were removed, and whether these were all."""

    changed: int
    is_complete: bool


def with_parts(record: DocumentRecord, parts: Sequence[DocumentRecord]) -> DocumentRecord:
    """Return the record of a first part, with the number of the passages of all parts."""
    if len(parts) < 2:
        return record
    return replace(record, passages=sum(one.passages for one in parts))


class VectorStore(Protocol):
    """Stores documents by id and finds passages by meaning and words. Every method blocks.

    Raises:
        Unavailable: The engine failed or is throttling; another attempt may work.
        BadDependency: The engine refused the request, or its data is damaged.
        Conflict: The stored vectors were made with another model or dimension.
        CapacityExceeded: The store is full.
    """

    def put(self, documents: Sequence[Document]) -> None:
        """Store documents, replacing those with the same ids; each document atomically."""

    def get(self, ids: Sequence[str], *, vectors: bool = False) -> dict[str, Document]:
        """Return the documents that exist, by id."""

    def parts(self, document_id: str) -> list[DocumentRecord]:
        """Return the records of a document's parts that exist, in the order of the text."""

    def delete(self, document_id: str, *, first_part: int = 1) -> bool:
        """Delete a document with its parts, or only the parts from `first_part` on.

        Return False if there were none. What an interrupted deletion left is deleted by the next.
        """

    def page(self, limit: int, cursor: str | None, where: Filter | None = None) -> Page:
        """Return up to `limit` records that match; each document is on one page only.

        A document in several parts is listed once, with the number of the passages of all. Parts
        without the first one are listed by themselves, so that a reader sees what to delete.
        """

    def query(
        self,
        vector: Sequence[float] | None,
        top_k: int,
        where: Filter | None,
        *,
        words: str | None = None,
    ) -> Hits:
        """Return the passages nearest to a vector, those that match words, or the best in both.

        Args:
            vector: As long as the store's dimension; None to compare words only.
            top_k: The most hits.
            where: Which documents are searched.
            words: A text whose words are compared; None to compare vectors only.

        Raises:
            Unprocessable: The engine cannot search for words alone.
        """

    def stats(self) -> StoreStats:
        """Return the size of the store."""

    def erase(self) -> Erasure:
        """Remove texts of deleted and replaced documents that the engine still stores."""

    def check(self) -> None:
        """Return if the engine can be reached, raise if not."""
