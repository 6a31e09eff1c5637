"""Text from PDF, extracted page by page with pypdf."""

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Final

from runner.text import ExtractionError, clean, clean_title

if TYPE_CHECKING:
    from pypdf import PdfReader

MAX_PAGES: Final = 2000


class PdfText:
    """The text of a PDF; its sections are the pages.

    Raises:
        ExtractionError: The PDF is damaged, encrypted, or has more than `MAX_PAGES` pages.
    """

    paged = True

    def __init__(self, content: bytes) -> None:
        self._reader = _translate_errors(lambda: _open(content))
        self._pages = _translate_errors(lambda: len(self._reader.pages))
        if self._pages > MAX_PAGES:
            raise ExtractionError(f"it has {self._pages:,} pages, over {MAX_PAGES:,}: split it")
        self.title = _title(self._reader)

    def __len__(self) -> int:
        return self._pages

    def section(self, index: int) -> str:
        return clean(_translate_errors(lambda: str(self._reader.pages[index].extract_text())))


def _open(content: bytes) -> "PdfReader":
    import logging

    from pypdf import PasswordType, PdfReader

    # pypdf logs a warning for each irregularity of a file.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = PdfReader(BytesIO(content), strict=False)
    if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
        raise ExtractionError("it is encrypted: remove the password")
    return reader


def _translate_errors[R](read: Callable[[], R]) -> R:
    try:
        return read()
    except ExtractionError:
        raise
    # pypdf raises almost any exception for a damaged PDF.
    except Exception as error:
        raise ExtractionError(f"the PDF cannot be read ({type(error).__name__})") from error


def _title(reader: "PdfReader") -> str | None:
    try:
        return clean_title((reader.metadata and reader.metadata.title) or "")
    except Exception:  # noqa: BLE001 - a damaged title must not fail the document
        return None
