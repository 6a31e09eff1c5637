"""Text from documents of every kind."""

from typing import Final, Literal

from runner.csv_table import read_csv
from runner.decoding import decode
from runner.html import extract_html
from runner.markdown import read_markdown
from runner.office.document import read_office
from runner.pdf import PdfText
from runner.text import FORMATS, ExtractedText, ExtractionError, WholeText, clean, too_large

Kind = Literal["text", "markdown", "html", "pdf", "csv", "office"]

MAX_TEXT_BYTES: Final = 5 * 2**20
"""The largest text, Markdown, HTML or CSV. Parsing takes time and memory in proportion to it."""

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
CONTENT_TYPES: Final[dict[str, Kind]] = {
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    f"{_OFFICE}.wordprocessingml.document": "office",
    f"{_OFFICE}.spreadsheetml.sheet": "office",
    f"{_OFFICE}.presentationml.presentation": "office",
}
"""The media types that are read."""

BY_SUFFIX: Final[dict[str, Kind]] = {
    "txt": "text", "text": "text", "md": "markdown", "markdown": "markdown",
    "html": "html", "htm": "html", "xhtml": "html", "pdf": "pdf", "csv": "csv", "tsv": "csv",
    "docx": "office", "docm": "office", "dotx": "office", "xlsx": "office", "xlsm": "office",
    "xltx": "office", "pptx": "office", "pptm": "office", "ppsx": "office", "potx": "office",
}  # fmt: skip
"""The suffixes of names of files that are read."""

# Files that are refused by their bytes, with what to do.
_REFUSED: Final[dict[str, Kind]] = {
    "doc": "office", "xls": "office", "xlsb": "office", "ppt": "office", "odt": "office",
    "ods": "office", "odp": "office",
}  # fmt: skip
_START_BYTES: Final = 1024
_UNREADABLE: Final = (
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"BZh", "compressed (bzip2)"),
    (b"\xfd7zXZ", "compressed (xz)"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
)
_ZIP: Final = b"PK\x03\x04"
_COMPOUND_FILE: Final = b"\xd0\xcf\x11\xe0"  # of old Office documents, and around encrypted ones
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")


def kind_of(name: str, content_type: str = "") -> Kind:
    """Return the kind of a file by its name, or by its media type if the name has no known suffix.

    Raises:
        ExtractionError: Neither is of a supported kind.
    """
    suffix = name.rpartition(".")[2].lower() if "." in name.rpartition("/")[2] else ""
    media_type = content_type.partition(";")[0].strip().lower()
    kind = BY_SUFFIX.get(suffix) or _REFUSED.get(suffix) or CONTENT_TYPES.get(media_type)
    if kind is None:
        shown = f".{suffix[:20]}" if suffix else media_type[:60] or "no type"
        raise ExtractionError(f"unsupported ({shown}): give {FORMATS}")
    return kind


def kind_of_content(content: bytes, kind: Kind) -> Kind:
    """Return the kind that the bytes have, whatever the file's name says.

    Raises:
        ExtractionError: The bytes are of a kind that cannot be read.
    """
    start = content[:_START_BYTES]
    if b"%PDF-" in start:
        return "pdf"
    for magic, what in _UNREADABLE:
        if start.startswith(magic):
            raise ExtractionError(f"it is {what}: give {FORMATS}")
    if start.startswith(_ZIP):
        return "office"
    if start.startswith(_COMPOUND_FILE):
        if _ENCRYPTED in content:
            raise ExtractionError("it is encrypted: remove the password and upload it again")
        raise ExtractionError("it is an old Office document: save it as docx, xlsx or pptx")
    if kind in {"pdf", "office"}:
        what = "a PDF" if kind == "pdf" else "an Office document"
        raise ExtractionError(f"it is not {what}, although its name or type says so")
    return kind


def extract(content: bytes, kind: Kind, charset: str = "") -> ExtractedText:
    """Extract the text of a document.

    Args:
        content: The document.
        kind: What it is.
        charset: The charset that its media type declares; may be empty.

    Raises:
        ExtractionError: It is too large, damaged or encrypted, or it is not text.
    """
    kind = kind_of_content(content, kind)
    if kind == "pdf":
        return PdfText(content)
    if kind == "office":
        return read_office(content)
    if len(content) > MAX_TEXT_BYTES:
        raise too_large(MAX_TEXT_BYTES)
    if kind == "html":
        return extract_html(content, charset)
    text = clean(decode(content, charset))
    if kind == "markdown":
        text, title = read_markdown(text)
        return WholeText(text.strip(), title)
    return read_csv(text) if kind == "csv" else WholeText(text, None)
