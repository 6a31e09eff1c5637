"""Stores documents: splits them into passages, embeds what changed, writes to the store."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from s3vector.embeddings import Embedder
from s3vector.ownership import Excerpt, OwnedStore
from s3vector.passages import split_text
from s3vector.store import Document, DocumentRecord, Passage, Vector
from shared.documents import DocumentBody
from shared.errors import NotFound, PayloadTooLarge
from shared.ingestion.parts import part_id
from shared.logging import timestamp


@dataclass(frozen=True, slots=True)
class _SplitDocument:
    body: DocumentBody
    passages: list[str]
    version: str


class Documents:
    """The documents of the current user.

    Args:
        store: The vector store as the user sees it.
        embedder: Embeds the passages.
        max_passages: The most passages in one `put`, which bounds its duration.
    """

    def __init__(self, store: OwnedStore, embedder: Embedder, *, max_passages: int) -> None:
        self._store = store
        self._embedder = embedder
        self._max_passages = max_passages

    def put(self, bodies: Sequence[DocumentBody], *, whole: bool = False) -> list[DocumentRecord]:
        """Store documents, replacing those with the same ids.

        Unchanged documents are not written again and unchanged passages not embedded again, so a
        repeated request costs one read.

        Args:
            bodies: The documents, or parts of long ones.
            whole: Whether none of them is a part: what they replace loses its later parts.

        Raises:
            PayloadTooLarge: The documents have more than `max_passages` passages.
        """
        split = [self._split(body) for body in bodies]
        count = sum(len(one.passages) for one in split)
        if count > self._max_passages:
            raise PayloadTooLarge(
                f"The documents have {count} passages; one request may have at most "
                f"{self._max_passages}. Send fewer documents at a time."
            )
        seconds = {part_id(body.id, 2): body.id for body in bodies} if whole else {}
        existing = self._store.writable([*(body.id for body in bodies), *seconds])
        versions = {document_id: one.record.version for document_id, one in existing.items()}
        changed = [one for one in split if versions.get(one.body.id) != one.version]
        updated = [one.body.id for one in changed if one.body.id in existing]
        stored = self._embed(changed, updated)
        self._store.put(stored)
        for second, document_id in seconds.items():
            if second in existing:
                self._store.delete_later_parts(document_id)
        records = {one.record.id: one.record for one in (*existing.values(), *stored)}
        return [records[body.id] for body in bodies]

    def read(self, document_id: str, first: int = 0) -> Excerpt:
        """Return a document, from one of its parts on, counted from 0."""
        found = self._store.read(document_id, first)
        if found is None:
            raise _not_found(document_id)
        return found

    def delete(self, document_id: str, owner: str | None = None) -> None:
        if not self._store.delete(document_id, owner):
            raise _not_found(document_id)

    def _split(self, body: DocumentBody) -> _SplitDocument:
        passages = split_text(body.text, title=body.title)
        # Everything that changes the stored document or its vectors.
        content = [
            passages,
            body.title,
            sorted(body.metadata.items()),
            self._embedder.model_id,
            self._embedder.dimensions,
        ]
        version = sha256(json.dumps(content).encode()).hexdigest()[:16]
        return _SplitDocument(body, passages, version)

    def _embed(self, changed: Sequence[_SplitDocument], updated: Sequence[str]) -> list[Document]:
        """Return the documents with vectors, reusing those of unchanged passages.

        Args:
            changed: The documents to embed.
            updated: The ids of those that the store already has, in another version.
        """
        vectors: dict[str, Vector] = {}
        if updated:
            for document in self._store.writable(updated, vectors=True).values():
                for passage in document.passages:
                    if passage.vector is not None:
                        vectors[_input(document.record.title, passage.text)] = passage.vector
        inputs = [_input(one.body.title, text) for one in changed for text in one.passages]
        missing = [text for text in dict.fromkeys(inputs) if text not in vectors]
        vectors |= dict(zip(missing, self._embedder.embed(missing), strict=True))
        now = timestamp()
        return [_document(one, vectors, now) for one in changed]


def _document(split: _SplitDocument, vectors: dict[str, Vector], now: str) -> Document:
    body = split.body
    record = DocumentRecord(
        id=body.id,
        title=body.title,
        metadata=body.metadata,
        version=split.version,
        updated_at=now,
        passages=len(split.passages),
    )
    passages = (Passage(text, vectors[_input(body.title, text)]) for text in split.passages)
    return Document(record, tuple(passages))


def _input(title: str | None, text: str) -> str:
    """Return the text to embed: the title gives context to a passage from inside a document."""
    return f"{title}\n\n{text}" if title else text


def _not_found(document_id: str) -> NotFound:
    return NotFound(f"There is no document {document_id!r}; GET /documents lists all documents.")
