"""The next documents of a job, read and cut to what one request to the store may hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from runner.documents import InlineItem, Opened, Opener, UploadItem
from runner.extraction import ExtractionError, Part, take_part
from runner.ingest import Outgoing
from runner.jobs import Cursor, DocumentFailure
from runner.parts import PartCounts, part_id
from shared.errors import ServiceError


@dataclass
class Batch:
    """What one step of a slice does.

    `outgoing` are the documents to store; `cut` are the ids of completed documents that may be in
    several parts, with the number of them; `cursor` is where the job stands after the step, and
    `steps` how many parts and failures it took to get there.
    """

    cursor: Cursor
    outgoing: list[Outgoing] = field(default_factory=list)
    cut: list[tuple[str, int]] = field(default_factory=list)
    failures: list[DocumentFailure] = field(default_factory=list)
    done: int = 0
    characters: int = 0
    steps: int = 0


@dataclass(frozen=True)
class Limits:
    """How much one step may take at most."""

    steps: int
    characters: int
    part_characters: int


class Gatherer:
    """Gathers batches from the documents of one job."""

    def __init__(
        self, items: Sequence[InlineItem | UploadItem], opener: Opener, counts: PartCounts
    ) -> None:
        self._items = items
        self._opener = opener
        self._counts = counts

    def gather(self, cursor: Cursor, limits: Limits, hurry: Callable[[], bool]) -> Batch:
        """Return the batch that begins at a cursor.

        A document that cannot be read is a failure in the batch. What the storage fails to give
        ends the batch early, or raises where there is none yet.

        Args:
            cursor: Where the job stands.
            limits: How much to take.
            hurry: Asked between documents and between pages; where it is true the batch ends.

        Raises:
            ServiceError: The storage failed before anything was gathered.
        """
        batch = Batch(cursor)
        while batch.cursor.index < len(self._items) and batch.steps < limits.steps:
            if batch.steps and hurry():
                break
            try:
                if not self._add(batch, limits, hurry):
                    break
            except ServiceError:
                if batch.steps:
                    break
                raise
            batch.steps += 1
        return batch

    def close(self) -> None:
        """Let go of what reading needed."""
        self._opener.close()

    def item_id(self, index: int) -> str:
        """Return the id of a document."""
        return self._items[index].id

    def _add(self, batch: Batch, limits: Limits, hurry: Callable[[], bool]) -> bool:
        """Add the next part to a batch; return False where it does not fit any more."""
        cursor = batch.cursor
        item = self._items[cursor.index]
        try:
            opened = self._opener.open(item)
            part = _take(opened, cursor, limits, hurry)
        except ExtractionError as error:
            batch.failures.append(DocumentFailure(document_id=item.id, detail=str(error)))
            batch.cursor = cursor.next_document()
            return True
        if batch.outgoing and batch.characters + len(part.text) > limits.characters:
            return False
        parts = cursor.parts
        if part.text:
            parts += 1
            if parts > 1 and self._counts.get(item.id) < parts:
                # Before the part itself: whoever cuts this document shorter must find it.
                self._counts.put(item.id, parts)
            batch.outgoing.append(_outgoing(opened, part, parts))
            batch.characters += len(part.text)
        if part.following is None:
            batch.done += 1
            if opened.parts_matter:
                batch.cut.append((item.id, parts))
            batch.cursor = cursor.next_document()
        else:
            section, offset = part.following
            batch.cursor = Cursor(index=cursor.index, parts=parts, section=section, offset=offset)
        return True


def _take(opened: Opened, cursor: Cursor, limits: Limits, hurry: Callable[[], bool]) -> Part:
    part = take_part(
        opened.extract,
        cursor.section,
        cursor.offset,
        # Inline text is bounded where it comes in, and stays whole.
        characters=limits.part_characters if opened.parts_matter else 2**31,
        hurry=hurry,
    )
    if part.following is None and not part.text and not cursor.parts:
        raise ExtractionError("it holds no text")
    return part


def _outgoing(opened: Opened, part: Part, number: int) -> Outgoing:
    metadata = dict(opened.metadata)
    if opened.extract.paged:
        metadata |= {"first_page": part.first_section + 1, "last_page": part.last_section + 1}
    body: Outgoing = {"id": part_id(opened.item.id, number), "text": part.text}
    if opened.title:
        several = number > 1 or part.following is not None
        body["title"] = f"{opened.title[:280]} (part {number})" if several else opened.title
    if metadata:
        body["metadata"] = metadata
    return body
