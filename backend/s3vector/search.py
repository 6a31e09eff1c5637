"""Semantic search over the store."""

from collections.abc import Sequence

from s3vector.embeddings import Embedder
from s3vector.filters import Filter
from s3vector.ownership import OwnedStore
from s3vector.store import Hit
from shared.errors import Unprocessable
from shared.tracing import span


class Search:
    """Finds the passages nearest to a text or a vector, among those the current user may read."""

    def __init__(self, store: OwnedStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder

    def by_text(self, text: str, *, top_k: int, where: Filter | None = None) -> list[Hit]:
        """Embed the text and return the nearest passages, best first."""
        return self._nearest(self._embedder.embed([text])[0], top_k, where)

    def by_vector(
        self, vector: Sequence[float], *, top_k: int, where: Filter | None = None
    ) -> list[Hit]:
        """Return the nearest passages, best first. The vector's length is ignored.

        Raises:
            Unprocessable: The vector has the wrong dimension, or is zero.
        """
        dimensions = self._embedder.dimensions
        if len(vector) != dimensions:
            raise Unprocessable(f"vector: has {len(vector)} numbers, expected {dimensions}")
        if not any(vector):
            raise Unprocessable("vector: all of its numbers are zero, so it has no direction")
        return self._nearest(vector, top_k, where)

    def _nearest(self, vector: Sequence[float], top_k: int, where: Filter | None) -> list[Hit]:
        with span("search") as current_span:
            hits = self._store.query(vector, top_k, where)
            current_span.set_attributes(
                {
                    "search.top_k": top_k,
                    "search.filtered": where is not None,
                    "search.hits": len(hits),
                }
            )
            return hits
