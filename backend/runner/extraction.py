"""Text from documents: plain text, Markdown, HTML and PDF."""

from typing import Final, Literal

from runner.decoding import decode
from runner.html import extract_html
from runner.markdown import read_markdown
from runner.pdf import PdfText
from runner.text import ExtractedText, ExtractionError, WholeText, clean, too_large

Kind = Literal["text", "markdown", "html", "pdf"]

MAX_TEXT_BYTES: Final = 5 * 2**20
"""The largest text, Markdown or HTML. Parsing takes time and memory in proportion to its size."""

_BY_SUFFIX: Final[dict[str, Kind]] = {
    "txt": "text", "text": "text", "md": "markdown", "markdown": "markdown",
    "html": "html", "htm": "html", "xhtml": "html", "pdf": "pdf",
}  # fmt: skip
_BY_TYPE: Final[dict[str, Kind]] = {
    "text/plain": "text", "text/markdown": "markdown", "text/html": "html",
    "application/xhtml+xml": "html", "application/pdf": "pdf",
}  # fmt: skip
_START_BYTES: Final = 1024
_UNREADABLE: Final = (
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"BZh", "compressed (bzip2)"),
    (b"\xfd7zXZ", "compressed (xz)"),
    (b"PK\x03\x04", "a zip archive or an Office document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
)


def kind_of(name: str, content_type: str = "") -> Kind:
    """Return the kind of a file by its name, or by its media type if the name has no known suffix.

    Raises:
        ExtractionError: Neither is of a supported kind.
    """
    suffix = name.rpartition(".")[2].lower() if "." in name.rpartition("/")[2] else ""
    media_type = content_type.partition(";")[0].strip().lower()
    kind = _BY_SUFFIX.get(suffix) or _BY_TYPE.get(media_type)
    if kind is None:
        shown = f".{suffix[:20]}" if suffix else media_type[:60] or "no type"
        raise ExtractionError(f"unsupported ({shown}): give text, Markdown, HTML or PDF")
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
            raise ExtractionError(f"it is {what}: give text, Markdown, HTML or PDF")
    if kind == "pdf":
        raise ExtractionError("it is not a PDF, although its name or type says so")
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
    if len(content) > MAX_TEXT_BYTES:
        raise too_large(MAX_TEXT_BYTES)
    if kind == "html":
        return extract_html(content, charset)
    text = clean(decode(content, charset))
    if kind == "markdown":
        text, title = read_markdown(text)
        return WholeText(text.strip(), title)
    return WholeText(text, None)
