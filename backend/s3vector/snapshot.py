"""One state of the `s3` store in memory: its segments, and their live documents."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from s3vector import bm25
from s3vector.filters import Filter
from s3vector.manifest import Manifest
from s3vector.ranking import Ranking, cosines
from s3vector.segments import Segment, unit_vector
from s3vector.store import DocumentRecord, Hits
from shared.ingestion.parts import find_parts, later_prefix

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Part:
    """A segment, and those of its documents that are not live. Immutable."""

    def __init__(self, segment: Segment, dead: frozenset[str]) -> None:
        self.segment = segment
        self.dead = dead
        self.documents = len(segment.documents) - len(dead)
        self.passages = segment.rows - sum(len(segment.rows_of(one)) for one in dead)

    def live_documents(self) -> list[str]:
        return [one for one in self.segment.documents if one not in self.dead]

    def without(self, document_ids: frozenset[str]) -> "Part":
        return Part(self.segment, self.dead | document_ids) if document_ids else self

    @cached_property
    def live_rows(self) -> "NDArray[np.bool] | None":
        """Whether each row is of a live document; None if all are."""
        import numpy as np

        if not self.dead:
            return None
        live = np.ones(self.segment.rows, dtype=bool)
        for one in self.dead:
            rows = self.segment.rows_of(one)
            live[rows.start : rows.stop] = False
        return live

    def matching_rows(self, where: Filter | None) -> "NDArray[np.bool] | None":
        """Whether each row is of a live document that matches; None if all rows are."""
        if where is None:
            return self.live_rows
        matching = self.segment.matching_rows(where)
        return matching if self.live_rows is None else matching & self.live_rows


class Snapshot:
    """A manifest and the segments it lists, in the same order. Immutable.

    A document is live in the last segment that contains it, unless a later one deletes it.

    Args:
        manifest: The manifest.
        segments: Its segments.
        previous: An earlier state. Only segments that it does not have are examined.
    """

    def __init__(
        self,
        manifest: Manifest,
        segments: Sequence[Segment],
        *,
        previous: "Snapshot | None" = None,
    ) -> None:
        self.manifest = manifest
        self.parts = _parts(segments, _known_parts(manifest, previous))

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        return tuple(part.segment for part in self.parts)

    @cached_property
    def documents(self) -> int:
        return sum(part.documents for part in self.parts)

    @cached_property
    def passages(self) -> int:
        return sum(part.passages for part in self.parts)

    @cached_property
    def ids(self) -> list[str]:
        return sorted(one for part in self.parts for one in part.live_documents())

    @cached_property
    def live_bytes(self) -> tuple[int, ...]:
        """For each segment, an estimate of the bytes of its live documents."""
        return tuple(
            part.segment.size * part.passages // part.segment.rows if part.segment.rows else 0
            for part in self.parts
        )

    def has(self, document_id: str) -> bool:
        place = bisect_left(self.ids, document_id)
        return self.ids[place : place + 1] == [document_id]

    def records_of(self, document_id: str) -> list[DocumentRecord]:
        """Return the records of a document's parts that exist."""
        later = later_prefix(document_id)
        place = bisect_left(self.ids, later)
        if not any(one.startswith(later) for one in self.ids[place : place + 1]):
            # Most documents have one part: a page of them needs no search for a hundred ids each.
            return [self.record(document_id)] if self.has(document_id) else []
        return list(
            find_parts(
                document_id, lambda ids: {one: self.record(one) for one in ids if self.has(one)}
            ).values()
        )

    def record(self, document_id: str) -> DocumentRecord:
        segment = find_segment(self.segments, document_id)
        if segment is None:
            raise KeyError(document_id)
        return segment.record(document_id)

    def search(
        self,
        vector: Sequence[float] | None,
        top_k: int,
        where: Filter | None,
        *,
        words: str | None = None,
    ) -> Hits:
        """Return the best passages by comparing every live row that matches: it is exact."""
        segments = self.segments
        matching = [part.matching_rows(where) for part in self.parts]
        ranking = Ranking(
            None
            if vector is None
            else cosines([one.matrix for one in segments], unit_vector(vector), matching),
            None
            if words is None
            else bm25.scores([one.postings for one in segments], words, matching),
        )
        # Ids decide between rows with equal scores, because the order of the segments changes with
        # compaction.
        best = sorted((-score, *self._place(row), row) for score, row in ranking.best(top_k))
        return Hits(
            (
                segments[number].hit(document_id, row, **ranking.of(place))
                for _, document_id, row, number, place in best[:top_k]
            ),
            best_score=ranking.best_cosine,
        )

    @cached_property
    def _starts(self) -> list[int]:
        """The number of rows before each segment, and of all."""
        starts = [0]
        for part in self.parts:
            starts.append(starts[-1] + part.segment.rows)
        return starts

    def _place(self, row: int) -> tuple[str, int, int]:
        """Return the document of a row, the row in its segment, and that segment's number."""
        number = bisect_right(self._starts, row) - 1
        row -= self._starts[number]
        return self.parts[number].segment.document_of(row), row, number


def find_segment(segments: Sequence[Segment], document_id: str) -> Segment | None:
    """Return the segment in which a document is live, or None."""
    for segment in reversed(segments):
        if document_id in segment.documents:
            return segment
        if document_id in segment.deleted:
            return None
    return None


def _known_parts(manifest: Manifest, previous: Snapshot | None) -> dict[str, Part]:
    """Return the parts of an earlier state, if this one was made from it by commits.

    Commits never revive a document: a merge keeps what hides the documents of earlier segments.
    An operator who restores an older manifest does revive some.
    """
    if previous is None or not set(previous.manifest.commits[-1:]) <= set(manifest.commits):
        return {}
    return {part.segment.key: part for part in previous.parts}


def _parts(segments: Sequence[Segment], known: dict[str, Part]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for number, segment in enumerate(segments):
        part = known.get(segment.key) or Part(segment, _hidden(segment, segments[number + 1 :]))
        if segment.key not in known:
            # An earlier part that is known does not know of this segment yet.
            parts = [
                one.without(_hidden(one.segment, [segment]) - one.dead)
                if one.segment.key in known
                else one
                for one in parts
            ]
        parts.append(part)
    return tuple(parts)


def _hidden(segment: Segment, later: Sequence[Segment]) -> frozenset[str]:
    """Return the ids of a segment's documents that later segments contain or delete."""
    documents = segment.documents.keys()
    hidden: set[str] = set()
    for one in later:
        hidden |= documents & one.documents.keys()
        if one.deleted:
            hidden |= documents & one.deleted
    return frozenset(hidden)
