"""Batches: the next documents of a job, read and split for one request to s3vector."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from runner.failures import DocumentFailure, joined, page_failure
from runner.items import InlineItem, UploadItem
from runner.jobs import Cursor
from runner.opener import DocumentOpener, OpenDocument
from runner.parser_process import ParserEnded
from runner.parts import PartCounts
from runner.sink import DocumentPayload
from runner.splitting import Part, take_part
from runner.text import NO_TEXT, ExtractionError
from shared.errors import ServiceError
from shared.ingestion.parts import part_id

# A page that ends the parser costs its whole time, so a document may have few of them.
_MOST_CRASHES = 3


@dataclass
class Batch:
    """The work of one step of a slice (a slice is the work on a job within one request).

    Attributes:
        cursor: The position of the job after the step.
        outgoing: The documents to store.
        part_counts: Id and number of parts of each completed document that may have several.
        failures: The documents and pages that could not be read.
        done: How many documents are complete.
        partial: How many of these have pages that could not be read.
        characters: The length of all texts in `outgoing`.
        steps: How many parts and failures the batch consists of.
        counted: How many parts of each document are known to be counted.
    """

    cursor: Cursor
    outgoing: list[DocumentPayload] = field(default_factory=list)
    part_counts: list[tuple[str, int]] = field(default_factory=list)
    failures: list[DocumentFailure] = field(default_factory=list)
    done: int = 0
    partial: int = 0
    characters: int = 0
    steps: int = 0
    counted: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """The bounds of one batch."""

    steps: int
    characters: int
    part_characters: int


class BatchBuilder:
    """Builds batches from the documents of one job."""

    def __init__(
        self,
        items: Sequence[InlineItem | UploadItem],
        opener: DocumentOpener,
        counts: PartCounts,
    ) -> None:
        self._items = items
        self._opener = opener
        self._counts = counts

    def build(self, cursor: Cursor, limits: Limits, should_stop: Callable[[], bool]) -> Batch:
        """Return the batch that begins at a cursor.

        A document or a page that cannot be read becomes a failure in the batch. If S3 fails after
        the first step, the batch ends there.

        Args:
            cursor: The position of the job.
            limits: The bounds of the batch.
            should_stop: Called between parts; the batch ends if it returns True.

        Raises:
            ServiceError: S3 failed in the first step.
        """
        batch = Batch(cursor)
        while batch.cursor.index < len(self._items) and batch.steps < limits.steps:
            if batch.steps and should_stop():
                break
            try:
                if not self._add(batch, limits):
                    break
            except ServiceError:
                if batch.steps:
                    break
                raise
            batch.steps += 1
        return batch

    def close(self) -> None:
        """End the parser's process."""
        self._opener.close()

    def item_id(self, index: int) -> str:
        """Return the id of a document."""
        return self._items[index].id

    def _add(self, batch: Batch, limits: Limits) -> bool:
        """Add the next part to the batch; return False if it does not fit."""
        cursor = batch.cursor
        item = self._items[cursor.index]
        try:
            document = self._opener.open(item)
        except ExtractionError as error:
            _fail_document(batch, item.id, str(error))
            return True
        try:
            part = _next_part(document, cursor, limits)
        except ExtractionError as error:
            self._skip_page(batch, document, error)
            return True
        if batch.outgoing and batch.characters + len(part.with_context()) > limits.characters:
            return False
        parts = cursor.parts
        if part.text:
            parts += 1
            self._count(batch, document, parts)
            batch.outgoing.append(_payload(document, part, parts))
            batch.characters += len(part.with_context())
        _move(batch, document, part.following, cursor.model_copy(update={"parts": parts}))
        return True

    def _skip_page(self, batch: Batch, document: OpenDocument, error: ExtractionError) -> None:
        cursor, document_id = batch.cursor, document.item.id
        if isinstance(error, ParserEnded):
            self._opener.forget()
            cursor = cursor.model_copy(update={"crashes": cursor.crashes + 1})
        if not document.text.paged or cursor.crashes > _MOST_CRASHES:
            _fail_document(batch, document_id, str(error))
            return
        failure = page_failure(document_id, cursor.section, str(error))
        batch.failures = list(joined(batch.failures, [failure]))
        after = cursor.section + 1
        following = (after, 0) if after < len(document.text) else None
        _move(batch, document, following, cursor.model_copy(update={"unread": cursor.unread + 1}))

    def _count(self, batch: Batch, document: OpenDocument, parts: int) -> None:
        """Count parts before they are stored, so that no stored part is ever left uncounted.

        All pages are counted at once, and the count is read once a batch: each is a call of S3.
        """
        document_id = document.item.id
        if parts == 1 or parts <= batch.counted.get(document_id, 0):
            return
        counted = self._counts.get(document_id)
        if counted < parts:
            counted = max(parts, len(document.text))
            self._counts.put(document_id, counted)
        batch.counted[document_id] = counted


def _next_part(document: OpenDocument, cursor: Cursor, limits: Limits) -> Part:
    return take_part(
        document.text,
        cursor.section,
        cursor.offset,
        # Inline text is bounded by the request model and never split.
        max_characters=limits.part_characters if document.may_split else 2**31,
    )


def _move(
    batch: Batch, document: OpenDocument, following: tuple[int, int] | None, cursor: Cursor
) -> None:
    """Move the batch's cursor to the next part, or to the next document if there is none."""
    if following is not None:
        section, offset = following
        batch.cursor = cursor.model_copy(update={"section": section, "offset": offset})
        return
    if not cursor.parts:
        reason = "none of its pages could be read" if cursor.unread else NO_TEXT
        _fail_document(batch, document.item.id, reason)
        return
    batch.done += 1
    batch.partial += cursor.unread > 0
    if document.may_split:
        batch.part_counts.append((document.item.id, cursor.parts))
    batch.cursor = cursor.next_document()


def _fail_document(batch: Batch, document_id: str, reason: str) -> None:
    batch.failures.append(DocumentFailure(document_id=document_id, detail=reason))
    batch.cursor = batch.cursor.next_document()


def _payload(document: OpenDocument, part: Part, number: int) -> DocumentPayload:
    metadata = dict(document.metadata)
    if document.text.paged:
        metadata |= dict.fromkeys(("first_page", "last_page"), part.section + 1)
    payload: DocumentPayload = {
        "id": part_id(document.item.id, number),
        "text": part.with_context(),
    }
    if document.title:
        has_parts = not document.text.paged and (number > 1 or part.following is not None)
        payload["title"] = (
            f"{document.title[:280]} (part {number})" if has_parts else document.title
        )
    if metadata:
        payload["metadata"] = metadata
    return payload
