"""The documents that the current user may read and write: a filter in front of every engine.

Each user has documents of their own, each tenant has common ones, and the documents that a request
without a user wrote are common to all. The engines store the owner as metadata and in the id, so
that two users can use the same id. A document is read under the id that its owner gave it; a
user's own document hides a common one with the same id.
"""

from collections.abc import Sequence
from copy import replace
from dataclasses import dataclass
from typing import Final

from s3vector.filters import Condition, Filter, Join
from s3vector.store import (
    Document,
    DocumentRecord,
    Erasure,
    Hit,
    Hits,
    Page,
    StoreStats,
    VectorStore,
    with_parts,
)
from shared.errors import UserNotPermitted
from shared.request import user

OWNER_KEY: Final = "_owner"
"""The metadata key with the owner. Callers cannot use it: their keys begin with a letter."""

_SEPARATOR: Final = "/"


# Their texts fit into one response: a part has at most 50,000 characters.
_PARTS_READ: Final = 20


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Consecutive parts of a document, and the record of the whole.

    `following` is the number of the next part, None if there is none.
    """

    record: DocumentRecord
    parts: list[Document]
    following: int | None


class OwnedStore:
    """A store as the current user sees it.

    Args:
        store: The documents of all users.
    """

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    def put(self, documents: Sequence[Document]) -> None:
        """Store documents of the current writer, replacing those with the same ids."""
        owner = user.written_owner(user.current())
        self._store.put([_to_stored(one, owner) for one in documents])

    def writable(self, ids: Sequence[str], *, vectors: bool = False) -> dict[str, Document]:
        """Return the documents by id that `put` would replace."""
        return self._owned_by(user.written_owner(user.current()), ids, vectors=vectors)

    def read(self, document_id: str, first: int = 0) -> Excerpt | None:
        """Return a document that the current user may read, from one of its parts on."""
        readable = self._readable_parts(document_id)
        if readable is None:
            return None
        owner, parts = readable
        after = first + _PARTS_READ
        ids = [one.id for one in parts[first:after]]
        found = self._owned_by(owner, ids)
        return Excerpt(
            with_parts(parts[0], parts),
            [found[one] for one in ids if one in found],
            after if after < len(parts) else None,
        )

    def delete(self, document_id: str, owner: str | None = None) -> bool:
        """Delete a document with its parts; return False if there is none that the user may read.

        Args:
            document_id: The id that its owner gave it.
            owner: Whose document it is, if an operator names the owner.

        Raises:
            UserNotPermitted: The user may read the document and not delete it.
        """
        if owner is not None:
            return self._store.delete(_stored_id(owner, document_id))
        stored_id = _stored_id(user.written_owner(user.current()), document_id)
        if self._store.delete(stored_id):
            return True
        if self._readable_parts(document_id) is not None:
            raise UserNotPermitted("Only curators may delete this document; it is not your own.")
        return False

    def delete_later_parts(self, document_id: str) -> None:
        """Delete all parts but the first of a document of the current writer."""
        stored_id = _stored_id(user.written_owner(user.current()), document_id)
        self._store.delete(stored_id, first_part=2)

    def page(self, limit: int, cursor: str | None, owner: str | None = None) -> Page:
        """Return up to `limit` records of an owner, by default those that the user may read."""
        where = _filter() if owner is None else Condition(OWNER_KEY, "$in", (owner,))
        page = self._store.page(limit, cursor, where)
        return Page(tuple(_to_public(one) for one in page.records), page.cursor)

    def query(
        self,
        vector: Sequence[float] | None,
        top_k: int,
        where: Filter | None,
        *,
        words: str | None = None,
    ) -> Hits:
        """Return the best passages that the current user may read, as `VectorStore.query` does."""
        owned = _filter()
        found = self._store.query(
            vector,
            top_k,
            owned if where is None else Join("$and", (owned, where)),
            words=words,
        )
        hits = _without_hidden([_to_public_hit(one) for one in found])
        return Hits(hits, best_score=found.best_score)

    def stats(self) -> StoreStats:
        """Return the size of the whole store."""
        return self._store.stats()

    def erase(self) -> Erasure:
        """Erase the texts of the deleted documents of all users."""
        return self._store.erase()

    def check(self) -> None:
        """Return if the engine can be reached, raise if not."""
        self._store.check()

    def _readable_parts(self, document_id: str) -> tuple[str | None, list[DocumentRecord]] | None:
        """Return the owner and the records of the parts of a document that the user may read."""
        for owner in _readable():
            stored = self._store.parts(_stored_id(owner, document_id))
            if parts := [one for one in map(_to_public, stored) if one.owner == owner]:
                return owner, parts
        return None

    def _owned_by(
        self, owner: str | None, ids: Sequence[str], *, vectors: bool = False
    ) -> dict[str, Document]:
        found = self._store.get([_stored_id(owner, one) for one in ids], vectors=vectors)
        public = (replace(one, record=_to_public(one.record)) for one in found.values())
        return {one.record.id: one for one in public if one.record.owner == owner}


def is_own(owner: str | None) -> bool:
    """Return whether a document with this owner is the current user's own."""
    reader = user.current()
    return reader is not None and owner == reader.own


def _readable() -> tuple[str | None, ...]:
    """Return the owners whose documents the current user may read, the user's own first."""
    reader = user.current()
    if reader is None:
        return (None,)
    return tuple(dict.fromkeys((reader.own, reader.common, None)))


def _filter() -> Filter:
    # Documents without an owner have no key.
    common = Condition(OWNER_KEY, "$exists", False)
    owners = tuple(one for one in _readable() if one is not None)
    if not owners:
        return common
    return Join("$or", (Condition(OWNER_KEY, "$in", owners), common))


def _without_hidden(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits without those whose id another document of the user's own has, too."""
    rank = {owner: number for number, owner in enumerate(_readable())}
    shown: dict[str, str | None] = {}
    for hit in hits:
        known = shown.setdefault(hit.document_id, hit.owner)
        if rank[hit.owner] < rank[known]:
            shown[hit.document_id] = hit.owner
    return [hit for hit in hits if shown[hit.document_id] == hit.owner]


def _stored_id(owner: str | None, document_id: str) -> str:
    return document_id if owner is None else f"{owner}{_SEPARATOR}{document_id}"


def _public_id(owner: str | None, stored_id: str) -> str:
    return stored_id if owner is None else stored_id.removeprefix(f"{owner}{_SEPARATOR}")


def _to_stored(document: Document, owner: str | None) -> Document:
    if owner is None:
        return document
    record = document.record
    stored = replace(
        record,
        id=_stored_id(owner, record.id),
        metadata={**record.metadata, OWNER_KEY: owner},
    )
    return replace(document, record=stored)


def _owner_of(record: DocumentRecord | Hit) -> str | None:
    owner = record.metadata.get(OWNER_KEY)
    return owner if isinstance(owner, str) else None


def _to_public(record: DocumentRecord) -> DocumentRecord:
    owner = _owner_of(record)
    return replace(
        record,
        id=_public_id(owner, record.id),
        metadata={key: value for key, value in record.metadata.items() if key != OWNER_KEY},
        owner=owner,
    )


def _to_public_hit(hit: Hit) -> Hit:
    owner = _owner_of(hit)
    return replace(
        hit,
        document_id=_public_id(owner, hit.document_id),
        metadata={key: value for key, value in hit.metadata.items() if key != OWNER_KEY},
        owner=owner,
    )
