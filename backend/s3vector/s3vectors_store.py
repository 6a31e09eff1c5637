"""The `s3vectors` store: Amazon S3 Vectors, for documents that do not fit into memory.

S3 Vectors replaces single vectors atomically, but a document has many. So each write of a document
uses new keys, `{id}#{write}#{number}`, except for the first passage, the head, whose key is the id.
The head is written last and contains the id of its write: replacing it replaces the document. All
passages of other writes are stale. Readers skip them, and they are deleted when found.

The index has no words: S3 Vectors searches texts only in an index that was made for it. A query
with words takes the nearest passages, at most 100, and ranks them by meaning and words together. So
a passage that is not among them is not found by its words, and words alone are refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from s3vector import bm25
from s3vector.filters import Filter
from s3vector.postings import make_postings
from s3vector.ranking import Ranking
from s3vector.s3vectors_index import MAX_LIST, MAX_TOP_K, StoredPassage, VectorIndex
from s3vector.segments import searched_text
from s3vector.store import (
    Document,
    DocumentRecord,
    Erasure,
    Hit,
    Hits,
    Page,
    Passage,
    StoreStats,
    with_parts,
)
from shared.errors import InvalidRequest, ServiceError, Unavailable, Unprocessable
from shared.ingestion.parts import document_of, find_parts, is_later_part, part_id
from shared.logging import get_logger
from shared.request.deadline import remaining_seconds

_log = get_logger(__name__)

# Stale passages may be among the nearest, so a query asks for this many more.
_EXTRA_HITS: Final = 20
_READ_ATTEMPTS: Final = 3
_QUERY_ATTEMPTS: Final = 2
_STALE_AGE: Final = timedelta(hours=1)
_MAX_LIST_PAGES: Final = 20
_LISTING_SECONDS: Final = 4.0


class S3VectorsStore:
    """Stores documents in an index of Amazon S3 Vectors."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self._listed: str | None = None

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
            stored = {one.key: one for one in self._index.get(keys, vectors=vectors)}
            for document_id, head in heads.items():
                current = [
                    stored[key]
                    for key in head.keys
                    if key in stored and stored[key].write == head.write
                ]
                if len(current) == len(head.keys):
                    passages = tuple(Passage(one.text, one.vector) for one in current)
                    found[document_id] = Document(head.record, passages)
            # The others were replaced between the two reads.
            wanted = [one for one in wanted if one in heads and one not in found]
            if not wanted:
                return found
        raise Unavailable(
            "The documents change faster than they can be read; try again.", retry_after=1
        )

    def parts(self, document_id: str) -> list[DocumentRecord]:
        return [head.record for head in find_parts(document_id, self._heads).values()]

    def delete(self, document_id: str, *, first_part: int = 1) -> bool:
        heads = find_parts(document_id, self._heads, first=first_part)
        # Without its head a part does not exist. The last one goes first, so that those which an
        # interruption leaves are found again.
        self._index.delete(list(reversed(heads)))
        self._remove([key for head in heads.values() for key in head.keys[1:]])
        return bool(heads)

    def page(self, limit: int, cursor: str | None, where: Filter | None = None) -> Page:
        records: list[DocumentRecord] = []
        for _ in range(_MAX_LIST_PAGES):
            # List no more than this page still needs: the engine's cursor points only to the end
            # of a listing.
            found, cursor = self._index.list(min(limit - len(records), MAX_LIST), cursor)
            heads = [
                one.record
                for one in found
                if one.number == 0 and (where is None or where.matches(one.record.metadata))
            ]
            later = {one.id: document_of(one.id) for one in heads if is_later_part(one.id)}
            firsts = self._heads(later.values())
            records += [one for one in heads if later.get(one.id) not in firsts]
            if cursor is None or len(records) >= limit:
                break
        return Page(tuple(self._with_parts(records)), cursor)

    def query(
        self,
        vector: Sequence[float] | None,
        top_k: int,
        where: Filter | None,
        *,
        words: str | None = None,
    ) -> Hits:
        if vector is None:
            raise Unprocessable(
                "mode: VECTOR_BACKEND=s3vectors cannot search for words alone; use hybrid or dense."
            )
        # Words are compared in as many of the nearest passages as a query returns.
        limit = MAX_TOP_K if words else min(top_k + _EXTRA_HITS, MAX_TOP_K)
        for _ in range(_QUERY_ATTEMPTS):
            found = self._index.query(vector, limit, where)
            heads = self._heads([one.record.id for one in found])
            hits, stale = _current_and_stale(found, heads)
            seen = {one.record.id for one in hits}
            # If all passages of a document are stale, it may have been replaced between the two
            # reads: query again for its new passages.
            if all(one.record.id in seen or one.record.id not in heads for one in stale):
                break
        self._remove_stale(stale)
        return _ranked(hits, words, top_k)

    def stats(self) -> StoreStats:
        self.check()
        return StoreStats("s3vectors", None, None, None, None, None)

    def erase(self) -> Erasure:
        """Delete stale passages, which a write or a deletion left behind if it failed halfway.

        A listing goes on where the last call of this process ended.
        """
        changed = 0
        while (left := remaining_seconds()) is None or left > _LISTING_SECONDS:
            try:
                found, self._listed = self._index.list(MAX_LIST, self._listed)
            except InvalidRequest:  # the cursor is too old
                if self._listed is None:
                    raise
                self._listed = None
                continue
            _, stale = _current_and_stale(found, self._heads([one.record.id for one in found]))
            changed += self._remove_stale(stale)
            if self._listed is None:
                return Erasure(changed, is_complete=True)
        return Erasure(changed, is_complete=False)

    def check(self) -> None:
        self._index.check()

    def _with_parts(self, records: Sequence[DocumentRecord]) -> Iterator[DocumentRecord]:
        """Yield the records with the numbers of the passages of all parts."""
        seconds = self._heads(part_id(one.id, 2) for one in records)
        for one in records:
            if part_id(one.id, 2) in seconds:
                yield with_parts(one, self.parts(one.id))
            else:
                yield one

    def _heads(self, ids: Iterable[str]) -> dict[str, StoredPassage]:
        """Return the heads of the documents that exist, by id."""
        return {one.record.id: one for one in self._index.get(list(dict.fromkeys(ids)))}

    def _remove(self, keys: Sequence[str]) -> None:
        """Delete stale passages; if that fails, they cost storage and nothing else."""
        try:
            self._index.delete(keys)
        except ServiceError as error:
            _log.warning("vectors_left_behind", vectors=len(keys), detail=error.detail)

    def _remove_stale(self, stale: Sequence[StoredPassage]) -> int:
        """Delete stale passages, except those of writes that may still be in progress."""
        limit = datetime.now(UTC) - _STALE_AGE
        keys = [one.key for one in stale if datetime.fromisoformat(one.record.updated_at) < limit]
        if keys:
            self._remove(keys)
        return len(keys)


def _current_and_stale(
    found: Sequence[StoredPassage], heads: Mapping[str, StoredPassage]
) -> tuple[list[StoredPassage], list[StoredPassage]]:
    """Return the passages of current writes, and the stale ones."""
    hits: list[StoredPassage] = []
    stale: list[StoredPassage] = []
    for one in found:
        head = heads.get(one.record.id)
        (hits if head is not None and head.write == one.write else stale).append(one)
    return hits, stale


def _ranked(found: Sequence[StoredPassage], words: str | None, top_k: int) -> Hits:
    """Return the best passages by their distance, or by that and the words that they have."""
    import numpy as np

    lexical = None
    if words is not None:
        texts = (searched_text(one.record, one.text) for one in found)
        lexical = bm25.scores([make_postings(texts)], words, [None])
    ranking = Ranking(np.array([1.0 - one.distance for one in found], dtype=np.float32), lexical)
    best = [(-score, found[row], row) for score, row in ranking.best(top_k)]
    best.sort(key=lambda one: (one[0], one[1].record.id, one[1].number))
    return Hits(
        (
            Hit(
                document_id=one.record.id,
                number=one.number,
                title=one.record.title,
                text=one.text,
                metadata=one.record.metadata,
                version=one.record.version,
                **ranking.of(row),
            )
            for _, one, row in best[:top_k]
        ),
        best_score=ranking.best_cosine,
    )
