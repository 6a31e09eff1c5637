"""Documents put in: cut, embedded where they changed, and stored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from s3vector.embeddings import Embedder
from s3vector.passages import split_text
from s3vector.store import Document, DocumentRecord, Metadata, Passage, Vector, VectorStore
from shared.errors import NotFound, PayloadTooLarge


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as a caller gives it."""

    id: str
    text: str
    title: str | None
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class _Prepared:
    draft: Draft
    passages: list[str]
    version: str


class Documents:
    """The documents of a store.

    Args:
        store: Where they are kept.
        embedder: Makes the vectors of their passages.
        max_passages: Passages that one `put` may have to embed, which bounds its time.
    """

    def __init__(self, store: VectorStore, embedder: Embedder, *, max_passages: int) -> None:
        self._store = store
        self._embedder = embedder
        self._max_passages = max_passages

    def put(self, drafts: Sequence[Draft]) -> list[DocumentRecord]:
        """Store documents in the place of those with the same ids.

        What is already there is not written again, and a passage whose text is already there is
        not embedded again: a repeated request costs one read.
        """
        prepared = [self._prepare(draft) for draft in drafts]
        count = sum(len(one.passages) for one in prepared)
        if count > self._max_passages:
            raise PayloadTooLarge(
                f"The documents make {count} passages, at most {self._max_passages} are taken in "
                "one request: send fewer documents at a time."
            )
        held = self._store.get([one.draft.id for one in prepared])
        changed = [
            one
            for one in prepared
            if one.draft.id not in held or held[one.draft.id].record.version != one.version
        ]
        stored = self._embedded(changed, [one.draft.id for one in changed if one.draft.id in held])
        self._store.put(stored)
        records = {one.record.id: one.record for one in (*held.values(), *stored)}
        return [records[draft.id] for draft in drafts]

    def get(self, document_id: str) -> Document:
        found = self._store.get([document_id]).get(document_id)
        if found is None:
            raise _unknown(document_id)
        return found

    def delete(self, document_id: str) -> None:
        if not self._store.delete(document_id):
            raise _unknown(document_id)

    def _prepare(self, draft: Draft) -> _Prepared:
        # Whatever changes the stored document, or its vectors, changes the version.
        passages = split_text(draft.text)
        content = [
            passages,
            draft.title,
            sorted(draft.metadata.items()),
            self._embedder.model_id,
            self._embedder.dimensions,
        ]
        version = sha256(json.dumps(content).encode()).hexdigest()[:16]
        return _Prepared(draft, passages, version)

    def _embedded(self, changed: Sequence[_Prepared], held: Sequence[str]) -> list[Document]:
        known: dict[str, Vector] = {}
        if held:
            for document in self._store.get(held, vectors=True).values():
                for passage in document.passages:
                    if passage.vector is not None:
                        known[_input(document.record.title, passage.text)] = passage.vector
        wanted = [_input(one.draft.title, text) for one in changed for text in one.passages]
        missing = [text for text in dict.fromkeys(wanted) if text not in known]
        known |= dict(zip(missing, self._embedder.embed(missing), strict=True))
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return [_document(one, known, now) for one in changed]


def _document(prepared: _Prepared, vectors: dict[str, Vector], now: str) -> Document:
    draft = prepared.draft
    record = DocumentRecord(
        id=draft.id,
        title=draft.title,
        metadata=draft.metadata,
        version=prepared.version,
        updated_at=now,
        passages=len(prepared.passages),
    )
    passages = (Passage(text, vectors[_input(draft.title, text)]) for text in prepared.passages)
    return Document(record, tuple(passages))


def _input(title: str | None, text: str) -> str:
    """What is embedded: a passage from the middle of a document says little without its title."""
    return f"{title}\n\n{text}" if title else text


def _unknown(document_id: str) -> NotFound:
    return NotFound(f"There is no document {document_id!r}; GET /documents lists those there are.")
