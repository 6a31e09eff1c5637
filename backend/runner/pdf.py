"""Text from PDF, extracted page by page with PDFium."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from runner.forms import field_lines
from runner.furniture import RepeatedLines
from runner.pdf_layout.headings import Headings
from runner.pdf_layout.lines import Line, read_lines
from runner.pdf_layout.tables import lines_with_tables
from runner.scans import is_scan
from runner.text import ExtractionError, clean, clean_title
from runner.titles import title_of

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument  # type: ignore[import-untyped]

MAX_PAGES: Final = 2000

# PDFium writes U+FFFE, or U+0002, for a hyphen that it takes for one of word division.
_DIVIDED: Final = re.compile(r"(?<=\w)[\ufffe\x02]\s*\n?(?=\w)|(?<=[a-z])-\n(?=[a-z])")
_UNDIVIDED: Final = re.compile(r"[\ufffe\x02]")
# What text extraction returns for fonts without a character map.
_UNMAPPED: Final = re.compile(r"/[gG]\d+|[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]")
_MOST_UNMAPPED: Final = 0.2
_TITLE_CHARACTERS: Final = range(4, 121)
_REPAIR: Final = "open it in a PDF reader, print it to a new PDF, and upload that"


class PdfText:
    """The text of a PDF; its sections are the pages.

    Headings are lines of Markdown, and a page begins with those of the pages before it that its
    first text is below. Rows of tables are lines of Markdown, too. Lines that repeat at the top or
    bottom of most pages are left out, and filled form fields are added to their page. Pages that
    are scanned images, or whose fonts have no character map, raise an `ExtractionError` when they
    are read; so do damaged pages.

    Raises:
        ExtractionError: The PDF is damaged, encrypted, or has more than `MAX_PAGES` pages.
    """

    paged = True

    def __init__(self, content: bytes) -> None:
        self._document = _translate_errors("the PDF is damaged", lambda: _open(content))
        self._pages = _translate_errors("the PDF is damaged", lambda: len(self._document))
        if self._pages > MAX_PAGES:
            raise ExtractionError(f"it has {self._pages:,} pages, over {MAX_PAGES:,}: split it")
        self._repeated = RepeatedLines(self._pages, self._plain_lines)
        self._headings = _translate_errors(
            "the PDF is damaged", lambda: Headings(self._document, self._readable_lines)
        )
        self.title = self._title()

    def __len__(self) -> int:
        return self._pages

    def section(self, index: int) -> str:
        fields = self._fields(index)
        try:
            lines = self._headings.marked(self._lines(index), index)
        except ExtractionError:
            if not fields:
                raise
            lines = []
        text = clean(_joined("\n".join([*(line.text for line in lines), *fields])))
        above = "\n".join(f"{'#' * level} {name}" for level, name in self._headings.above(index))
        return f"{above}\n\n{text}" if text and above else text

    def _lines(self, index: int) -> list[Line]:
        """Return the lines of a page, with its tables, without what repeats on each page."""
        lines = self._read(index)
        kept = self._repeated.without([line.text for line in lines], index)
        return lines_with_tables(
            [line if text else Line("") for line, text in zip(lines, kept, strict=True)]
        )

    def _read(self, index: int, *, with_places: bool = True) -> list[Line]:
        lines = _translate_errors(
            "the page is damaged", lambda: self._extract(index, with_places=with_places)
        )
        text = "\n".join(line.text for line in lines)
        if len(_UNMAPPED.findall(text)) > len(text.split()) * _MOST_UNMAPPED:
            raise ExtractionError(
                "its fonts do not say which characters they show: run OCR on the PDF and upload "
                "the result"
            )
        return lines

    def _readable_lines(self, index: int) -> list[Line]:
        try:
            return self._lines(index)
        except ExtractionError:
            return []

    def _plain_lines(self, index: int) -> list[str]:
        try:
            return [line.text for line in self._read(index, with_places=False)]
        except ExtractionError:
            return []

    def _extract(self, index: int, *, with_places: bool) -> list[Line]:
        page = self._document[index]
        try:
            text = page.get_textpage()
            try:
                found = read_lines(text, page.get_rotation(), with_places=with_places)
            finally:
                text.close()
            if not any(line.text.strip() for line in found) and is_scan(page):
                raise ExtractionError(
                    "it is an image without text: run OCR on the PDF and upload the result"
                )
            return found
        finally:
            page.close()

    def _fields(self, index: int) -> list[str]:
        return _translate_errors("the page is damaged", lambda: field_lines(self._document, index))

    def _title(self) -> str | None:
        named = clean_title(
            _translate_errors(
                "the PDF is damaged", lambda: self._document.get_metadata_value("Title")
            )
        )
        if chosen := title_of(named):
            return chosen
        # The largest or else the first line of the first page, where it may be a title.
        if self._pages and (largest := self._headings.largest(self._readable_lines(0))):
            return clean_title(_joined(largest))
        lines = map(clean_title, self._plain_lines(0) if self._pages else [])
        first = next((line for line in lines if line), None)
        return first if first and len(first) in _TITLE_CHARACTERS else None


def _joined(text: str) -> str:
    """Return text with the words joined that are divided at the ends of lines."""
    return _UNDIVIDED.sub("-", _DIVIDED.sub("", text))


def _open(content: bytes) -> "PdfDocument":
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if "assword" in str(error):
            raise ExtractionError("it is encrypted: remove the password") from None
        raise
    document.init_forms()
    return document


def _translate_errors[R](problem: str, read: Callable[[], R]) -> R:
    try:
        return read()
    except ExtractionError:
        raise
    except Exception as error:
        raise ExtractionError(f"{problem}: {_REPAIR}") from error
