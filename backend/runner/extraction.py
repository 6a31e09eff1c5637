"""Text from documents: plain text, Markdown, HTML and PDF."""

import re
from typing import Final, Literal

from runner.html import extract_html
from runner.pdf import PdfText
from runner.text import ExtractedText, ExtractionError, WholeText, clean, clean_title, too_large

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
_HEADING: Final = re.compile(r"^#\s+(.+?)\s*#*\s*$", re.MULTILINE)


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


def extract(content: bytes, kind: Kind) -> ExtractedText:
    """Extract the text of a document.

    Raises:
        ExtractionError: It is too large, damaged, encrypted, or not in UTF-8.
    """
    if kind == "pdf":
        return PdfText(content)
    if len(content) > MAX_TEXT_BYTES:
        raise too_large(MAX_TEXT_BYTES)
    if kind == "html":
        return extract_html(content)
    text = clean(_decode(content))
    heading = _HEADING.search(text) if kind == "markdown" else None
    return WholeText(text, clean_title(heading[1]) if heading else None)


def _decode(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ExtractionError(
            f"it is not {encoding.removesuffix('-sig').upper()} at byte {error.start}"
        ) from None
