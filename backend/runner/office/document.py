"""The text of an Office document, whichever program it belongs to."""

from runner.office.archive import OfficeArchive
from runner.office.sheets import SheetsText
from runner.office.slides import SlidesText
from runner.office.word import read_word
from runner.text import ExtractedText


def read_office(content: bytes) -> ExtractedText:
    """Return the text of a docx, xlsx or pptx file, which its bytes tell apart.

    Raises:
        ExtractionError: It is none of them, damaged, encrypted, or over the limits.
    """
    archive = OfficeArchive(content)
    match archive.program:
        case "Word":
            return read_word(archive)
        case "Excel":
            return SheetsText(archive)
        case "PowerPoint":
            return SlidesText(archive)
