"""One state of the `s3` store in memory: its segments, and their live documents."""

import heapq
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from s3vector.filters import Filter
from s3vector.manifest import Manifest
from s3vector.segments import Segment, unit_vector
from s3vector.store import Document, DocumentRecord, Hit
from shared.aws.bucket import StoredObject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# Filters whose rows are kept, and the longest of them.
_KEPT_FILTERS = 16
_MAX_FILTER_CHARACTERS = 400


class Snapshot:
    """A manifest and the segments it lists, in the same order. Immutable.

    A document is live in the last segment that contains it, unless a later one deletes it.
    `source` is the S3 object of the manifest, None before the first commit.
    """

    def __init__(
        self, manifest: Manifest, source: StoredObject | None, segments: Sequence[Segment]
    ) -> None:
        self.manifest = manifest
        self.source = source
        self.segments = tuple(segments)
        self._matching: dict[tuple[int, str], NDArray[np.intp]] = {}
        self._segment_of: dict[str, int] = {}
        for number, segment in enumerate(self.segments):
            for document_id in segment.deleted:
                self._segment_of.pop(document_id, None)
            self._segment_of.update(dict.fromkeys(segment.documents, number))

    @property
    def documents(self) -> int:
        return len(self._segment_of)

    @cached_property
    def passages(self) -> int:
        return sum(self.record(one).passages for one in self._segment_of)

    @cached_property
    def ids(self) -> list[str]:
        return sorted(self._segment_of)

    @cached_property
    def live_bytes(self) -> tuple[int, ...]:
        """For each segment, an estimate of the bytes of its live documents."""
        rows = [0] * len(self.segments)
        for document_id, number in self._segment_of.items():
            rows[number] += self.segments[number].documents[document_id].record.passages
        return tuple(
            segment.size * live // segment.rows if segment.rows else 0
            for segment, live in zip(self.segments, rows, strict=True)
        )

    def record(self, document_id: str) -> DocumentRecord:
        return self.segments[self._segment_of[document_id]].documents[document_id].record

    def __contains__(self, document_id: str) -> bool:
        return document_id in self._segment_of

    def document(self, document_id: str, *, vectors: bool) -> Document:
        return self.segments[self._segment_of[document_id]].document(document_id, vectors=vectors)

    def live_documents(self, number: int) -> list[str]:
        """Return the ids of the live documents of a segment."""
        return [
            one for one in self.segments[number].documents if self._segment_of.get(one) == number
        ]

    def search(self, vector: Sequence[float], top_k: int, where: Filter | None) -> list[Hit]:
        """Return the nearest passages by comparing with every live row: the search is exact."""
        import numpy as np

        query = unit_vector(vector)
        found: list[tuple[float, str, int, int]] = []
        for number, segment in enumerate(self.segments):
            live = self._live_rows(number) if where is None else self._matching_rows(number, where)
            count = len(live)
            if not count:
                continue
            # If most rows are live, multiply the whole matrix: selecting rows copies them.
            whole = count * 2 >= segment.rows
            matrix = segment.matrix
            scores = (matrix @ query)[live] if whole else matrix[live] @ query
            if count > top_k:
                best = np.argpartition(scores, count - top_k)[count - top_k :]
                # Keep all rows that tie with the last one. Ids decide between them, because the
                # order of the segments changes with compaction.
                best = np.flatnonzero(scores >= scores[best].min())
            else:
                best = np.arange(count)
            names = self._row_names[number]
            found += [
                (-float(scores[one]), names[live[one]], int(live[one]), number) for one in best
            ]
        return [
            self.segments[number].hit(document_id, row, min(1.0, max(-1.0, -negative)))
            for negative, document_id, row, number in heapq.nsmallest(top_k, found)
        ]

    @cached_property
    def _row_names(self) -> list[list[str]]:
        return [
            [
                one
                for one, stored in segment.documents.items()
                for _ in range(stored.record.passages)
            ]
            for segment in self.segments
        ]

    @cached_property
    def _live(self) -> "list[NDArray[np.intp]]":
        return [
            self._rows_of(number, self.live_documents(number))
            for number in range(len(self.segments))
        ]

    def _live_rows(self, number: int) -> "NDArray[np.intp]":
        return self._live[number]

    def _matching_rows(self, number: int, where: Filter) -> "NDArray[np.intp]":
        # The same filter of owners is part of every query, and often the whole filter. The text
        # tells 1 from True, which are equal as keys.
        key = (number, repr(where))
        rows = self._matching.get(key)
        if rows is None:
            rows = self._compare(number, where)
            if len(key[1]) <= _MAX_FILTER_CHARACTERS:
                if len(self._matching) >= _KEPT_FILTERS * len(self.segments):
                    self._matching.clear()
                self._matching[key] = rows
        return rows

    def _compare(self, number: int, where: Filter) -> "NDArray[np.intp]":
        documents = self.segments[number].documents
        return self._rows_of(
            number,
            [
                one
                for one in self.live_documents(number)
                if where.matches(documents[one].record.metadata)
            ],
        )

    def _rows_of(self, number: int, ids: Sequence[str]) -> "NDArray[np.intp]":
        import numpy as np

        documents = self.segments[number].documents
        mask = np.zeros(self.segments[number].rows, dtype=bool)
        for one in ids:
            stored = documents[one]
            mask[stored.first_row : stored.first_row + stored.record.passages] = True
        return np.flatnonzero(mask)
