"""Search over the store, by meaning and by words."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal
from unicodedata import normalize

from s3vector.embeddings import Embedder
from s3vector.filters import Filter
from s3vector.ownership import OwnedStore
from s3vector.store import Hit, Hits
from shared.errors import Unprocessable
from shared.tracing import span

type Mode = Literal["dense", "lexical", "hybrid"]

# More hits than asked for are fetched, because some may be left out.
_FACTOR: Final = 3
_MOST_FETCHED: Final = 2000


class Search:
    """Finds passages for a text or a vector, among those the current user may read.

    `dense` compares vectors, `lexical` words, and `hybrid` both.

    Passages with equal texts, apart from case, white space and Unicode form, count once: the best
    is returned. At most `per_document` passages of a document are returned.
    """

    def __init__(self, store: OwnedStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder

    def by_text(
        self,
        text: str,
        *,
        top_k: int,
        mode: Mode = "dense",
        where: Filter | None = None,
        per_document: int | None = None,
    ) -> Hits:
        """Return the best passages for a text, best first. `lexical` calls no embedding model."""
        vector = None if mode == "lexical" else self._embedder.embed([text])[0]
        words = None if mode == "dense" else text
        return self._best(vector, words, top_k, where, per_document)

    def by_vector(
        self,
        vector: Sequence[float],
        *,
        top_k: int,
        where: Filter | None = None,
        per_document: int | None = None,
    ) -> Hits:
        """Return the nearest passages, best first. The vector's length is ignored.

        Raises:
            Unprocessable: The vector has the wrong dimension, or is zero.
        """
        dimensions = self._embedder.dimensions
        if len(vector) != dimensions:
            raise Unprocessable(f"vector: has {len(vector)} numbers, expected {dimensions}")
        if not any(vector):
            raise Unprocessable("vector: all of its numbers are zero, so it has no direction")
        return self._best(vector, None, top_k, where, per_document)

    def _best(
        self,
        vector: Sequence[float] | None,
        words: str | None,
        top_k: int,
        where: Filter | None,
        per_document: int | None,
    ) -> Hits:
        with span("search") as current_span:
            hits = self._distinct(vector, words, top_k, where, per_document)
            current_span.set_attributes(
                {
                    "search.top_k": top_k,
                    "search.vectors": vector is not None,
                    "search.words": words is not None,
                    "search.filtered": where is not None,
                    "search.hits": len(hits),
                }
            )
            return hits

    def _distinct(
        self,
        vector: Sequence[float] | None,
        words: str | None,
        top_k: int,
        where: Filter | None,
        per_document: int | None,
    ) -> Hits:
        wanted = top_k * _FACTOR
        while True:
            found = self._store.query(vector, wanted, where, words=words)
            hits = _chosen(found, per_document)
            if len(hits) >= top_k or len(found) < wanted or wanted >= _MOST_FETCHED:
                return Hits(hits[:top_k], best_score=found.best_score)
            wanted *= _FACTOR


def _chosen(found: Sequence[Hit], per_document: int | None) -> list[Hit]:
    """Return the first hit of each text, and at most so many of each document."""
    hits: list[Hit] = []
    texts: set[str] = set()
    of_document: Counter[str] = Counter()
    for hit in found:
        # Digits and signs stay: the limits of two years are no duplicates.
        text = " ".join(normalize("NFKC", hit.text).casefold().split())
        if text in texts or of_document[hit.document_id] == per_document:
            continue
        texts.add(text)
        of_document[hit.document_id] += 1
        hits.append(hit)
    return hits
