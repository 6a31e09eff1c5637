"""One state of the `s3` store in memory: its segments, and which documents of them hold."""

import heapq
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from s3vector.bucket import StoredObject
from s3vector.filters import Filter
from s3vector.manifest import Manifest
from s3vector.segments import Segment, unit_vector
from s3vector.store import Document, DocumentRecord, Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Snapshot:
    """A manifest with the segments it lists, in the same order. Never changed once made.

    `source` is the manifest as it was read, None where the bucket has none yet.
    """

    def __init__(
        self, manifest: Manifest, source: StoredObject | None, segments: Sequence[Segment]
    ) -> None:
        self.manifest = manifest
        self.source = source
        self.segments = tuple(segments)
        self._homes: dict[str, int] = {}
        for number, segment in enumerate(self.segments):
            for document_id in segment.deleted:
                self._homes.pop(document_id, None)
            self._homes.update(dict.fromkeys(segment.documents, number))

    @property
    def documents(self) -> int:
        return len(self._homes)

    @cached_property
    def passages(self) -> int:
        return sum(self.record(one).passages for one in self._homes)

    @cached_property
    def ids(self) -> list[str]:
        return sorted(self._homes)

    @cached_property
    def live_bytes(self) -> tuple[int, ...]:
        """For each segment, about how many of its bytes a rewrite would keep."""
        rows = [0] * len(self.segments)
        for document_id, number in self._homes.items():
            rows[number] += self.segments[number].documents[document_id].record.passages
        return tuple(
            segment.size * live // segment.rows if segment.rows else 0
            for segment, live in zip(self.segments, rows, strict=True)
        )

    def record(self, document_id: str) -> DocumentRecord:
        return self.segments[self._homes[document_id]].documents[document_id].record

    def __contains__(self, document_id: str) -> bool:
        return document_id in self._homes

    def document(self, document_id: str, *, vectors: bool) -> Document:
        return self.segments[self._homes[document_id]].document(document_id, vectors=vectors)

    def live_documents(self, number: int) -> list[str]:
        """The ids of those documents of a segment that no later segment overrides."""
        return [one for one in self.segments[number].documents if self._homes.get(one) == number]

    def search(self, vector: Sequence[float], top_k: int, where: Filter | None) -> list[Hit]:
        """Compare with every row that holds: exact, in one pass over the matrices."""
        import numpy as np

        query = unit_vector(vector)
        found: list[tuple[float, str, int, int]] = []
        for number, segment in enumerate(self.segments):
            live = self._live_rows(number) if where is None else self._rows(number, where)
            count = len(live)
            if not count:
                continue
            # The whole matrix where most rows hold: picking rows out would copy them.
            whole = count * 2 >= segment.rows
            matrix = segment.matrix
            scores = (matrix @ query)[live] if whole else matrix[live] @ query
            if count > top_k:
                best = np.argpartition(scores, count - top_k)[count - top_k :]
                # Rows equal to the last of the best come along: ids decide between them, not
                # the order of the segments, which compaction changes.
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

    def _rows(self, number: int, where: Filter) -> "NDArray[np.intp]":
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
