"""Opens the documents of a job, one at a time, to read their text in sections."""

import base64
from dataclasses import dataclass

from runner.decoding import charset_of
from runner.extraction import kind_of
from runner.items import InlineItem, Metadata, UploadItem
from runner.parser_process import ParserProcess
from runner.text import ExtractedText, too_large
from runner.uploads import Uploads


@dataclass(frozen=True)
class OpenDocument:
    """A document whose text can be read. `may_split`: whether it may be stored in parts."""

    item: InlineItem | UploadItem
    text: ExtractedText
    title: str | None
    metadata: Metadata
    may_split: bool


class DocumentOpener:
    """Opens documents and caches the last one, whose next part is usually read next.

    Call `close` to end the parser's process.

    Args:
        uploads: The uploaded documents.
        max_bytes: The largest upload that is read.
        seconds: The longest time for parsing a document, or one page of it.
    """

    def __init__(self, uploads: Uploads, *, max_bytes: int, seconds: float) -> None:
        self._uploads = uploads
        self._max_bytes = max_bytes
        self._parser = ParserProcess(seconds=seconds)
        self._last: OpenDocument | None = None

    def open(self, item: InlineItem | UploadItem) -> OpenDocument:
        """Open a document.

        Raises:
            ExtractionError: No text can be extracted.
            ServiceError: S3 failed.
        """
        if self._last is None or self._last.item is not item:
            self._last = None  # frees its memory before the next one is read
            self._last = self._inline(item) if isinstance(item, InlineItem) else self._upload(item)
        return self._last

    def forget(self) -> None:
        """Forget the last document, so that it is read again when it is opened."""
        self._last = None

    def close(self) -> None:
        """End the parser's process; a thread that waits for it gets an `ExtractionError`."""
        self._parser.close()

    def _inline(self, item: InlineItem) -> OpenDocument:
        content = base64.b64decode(item.data) if item.data else (item.text or "").encode()
        text = self._parser.extract(content, item.kind)
        title = item.title or text.title
        return OpenDocument(item, text, title, item.metadata, may_split=item.data is not None)

    def _upload(self, item: UploadItem) -> OpenDocument:
        if item.size > self._max_bytes:
            raise too_large(self._max_bytes)
        content, media_type = self._uploads.read(item.key, max_bytes=self._max_bytes)
        kind = item.kind or kind_of(item.key, media_type)
        text = self._parser.extract(content, kind, charset_of(media_type))
        if item.kind is not None:
            title, metadata = item.title or text.title, item.metadata or {}
        else:
            title, metadata = text.title or item.key.rpartition("/")[2], {"source": item.key}
        return OpenDocument(item, text, title, metadata, may_split=True)
