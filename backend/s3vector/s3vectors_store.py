"""The `s3vectors` store: Amazon S3 Vectors, for what outgrows one function's memory.

The engine replaces one vector at a time; a document is many. So each write of a document gets
keys of its own, `{id}#{write}#{number}`, except for its first passage, whose key is the id. That
one is written last and names the write that holds: replacing it replaces the document. A query
drops passages whose write is not the one that holds; what a failed or overtaken write leaves is
never seen, and removed as far as it is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from s3vector.filters import Filter
from s3vector.s3vectors_index import MAX_LIST, MAX_TOP_K, StoredPassage, VectorIndex
from s3vector.store import Document, DocumentRecord, Hit, Page, Passage, StoreStats
from shared.errors import ServiceError, Unavailable
from shared.logging import get_logger

_log = get_logger(__name__)

# Passages of overtaken writes take places among the nearest; as many more are asked for.
_SPARE: Final = 20
_READ_ATTEMPTS: Final = 3
_QUERY_ATTEMPTS: Final = 2
_LEFTOVER_AGE: Final = timedelta(hours=1)
_MAX_LIST_PAGES: Final = 20


class S3VectorsStore:
    """Documents in an index of Amazon S3 Vectors."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index

    def put(self, documents: Sequence[Document]) -> None:
        heads = self._heads([one.record.id for one in documents])
        write = uuid4().hex
        bodies = [
            self._index.vector(document, write, number)
            for document in documents
            for number in range(1, len(document.passages))
        ]
        firsts = [self._index.vector(document, write, 0) for document in documents]
        try:
            self._index.put(bodies)
        except ServiceError:
            self._remove([body["key"] for body in bodies])
            raise
        self._index.put(firsts)
        self._remove([key for head in heads.values() for key in head.keys if key != head.record.id])

    def get(self, ids: Sequence[str], *, vectors: bool = False) -> dict[str, Document]:
        found: dict[str, Document] = {}
        wanted = list(dict.fromkeys(ids))
        for _ in range(_READ_ATTEMPTS):
            heads = self._heads(wanted)
            keys = [key for head in heads.values() for key in head.keys]
            held = {one.key: one for one in self._index.get(keys, vectors=vectors)}
            for document_id, head in heads.items():
                parts = [held.get(key) for key in head.keys]
                whole = [one for one in parts if one is not None and one.write == head.write]
                if len(whole) == len(parts):
                    passages = tuple(Passage(one.text, one.vector) for one in whole)
                    found[document_id] = Document(head.record, passages)
            # What is missing was replaced between the two reads.
            wanted = [one for one in wanted if one in heads and one not in found]
            if not wanted:
                return found
        raise Unavailable(
            "The documents change faster than they can be read; try again.", retry_after=1
        )

    def delete(self, document_id: str) -> bool:
        head = self._heads([document_id]).get(document_id)
        if head is None:
            return False
        self._index.delete([document_id])  # from here on nobody sees it
        self._remove(head.keys[1:])
        return True

    def page(self, limit: int, cursor: str | None) -> Page:
        records: list[DocumentRecord] = []
        for _ in range(_MAX_LIST_PAGES):
            # Never more than is still wanted: the engine's token cannot point into a page.
            found, cursor = self._index.list(min(limit - len(records), MAX_LIST), cursor)
            records += [one.record for one in found if one.number == 0]
            if cursor is None or len(records) >= limit:
                break
        return Page(tuple(records), cursor)

    def query(self, vector: Sequence[float], top_k: int, where: Filter | None) -> list[Hit]:
        asked = min(top_k + _SPARE, MAX_TOP_K)
        for _ in range(_QUERY_ATTEMPTS):
            found = self._index.query(vector, asked, where)
            heads = self._heads([one.record.id for one in found])
            hits, overtaken = _divided(found, heads)
            seen = {one.record.id for one in hits}
            # A document of which every passage was overtaken may have been replaced between the
            # two reads: its new passages are to be looked at too.
            if all(one.record.id in seen or one.record.id not in heads for one in overtaken):
                break
        self._remove_leftovers(overtaken)
        hits.sort(key=lambda one: (one.distance, one.record.id, one.number))
        return [
            Hit(
                document_id=one.record.id,
                number=one.number,
                title=one.record.title,
                text=one.text,
                score=min(1.0, max(-1.0, 1.0 - one.distance)),
                metadata=one.record.metadata,
            )
            for one in hits[:top_k]
        ]

    def stats(self) -> StoreStats:
        self.check()
        return StoreStats("s3vectors", None, None, None, None, None)

    def check(self) -> None:
        self._index.check()

    def _heads(self, ids: Iterable[str]) -> dict[str, StoredPassage]:
        """The first passages of those documents that exist, by document."""
        return {one.record.id: one for one in self._index.get(list(dict.fromkeys(ids)))}

    def _remove(self, keys: Sequence[str]) -> None:
        """Delete what nobody sees any more; what is left costs its storage, nothing else."""
        try:
            self._index.delete(keys)
        except ServiceError as error:
            _log.warning("vectors_left_behind", vectors=len(keys), detail=error.detail)

    def _remove_leftovers(self, overtaken: Sequence[StoredPassage]) -> None:
        """Delete passages of writes that failed or were overtaken long ago."""
        # No write takes nearly so long between its first passage and its last.
        limit = datetime.now(UTC) - _LEFTOVER_AGE
        keys = [
            one.key for one in overtaken if datetime.fromisoformat(one.record.updated_at) < limit
        ]
        if keys:
            self._remove(keys)


def _divided(
    found: Sequence[StoredPassage], heads: Mapping[str, StoredPassage]
) -> tuple[list[StoredPassage], list[StoredPassage]]:
    """Those passages that hold, and those of other writes than the one that holds."""
    hits: list[StoredPassage] = []
    overtaken: list[StoredPassage] = []
    for one in found:
        head = heads.get(one.record.id)
        (hits if head is not None and head.write == one.write else overtaken).append(one)
    return hits, overtaken
