"""Text from bytes, in the encoding that the document declares or has."""

import codecs
import re
from typing import Final

from runner.text import FORMATS, ExtractionError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# As browsers read them: what calls itself Latin-1 or ASCII is Windows-1252.
# https://encoding.spec.whatwg.org/#names-and-labels
_WINDOWS: Final = frozenset({"ascii", "iso8859-1", "cp1252"})
_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_META: Final = re.compile(
    rb"<(?:meta|\?xml)\b[^>]{0,400}?(?:charset|encoding)\s*=\s*[\"']?([\w:.-]+)", re.IGNORECASE
)
_META_BYTES: Final = 2048


def decode(content: bytes, declared: str = "") -> str:
    """Return the text of a document.

    The encoding is the declared one, else that of a byte order mark, else UTF-8, else Windows-1252.
    If the bytes are not in the declared encoding, it is ignored. So is Latin-1 where the bytes are
    UTF-8, because every sequence of bytes is Latin-1.

    Args:
        content: The document.
        declared: The charset of its media type or of its HTML; may be empty.

    Raises:
        ExtractionError: The bytes are not text.
    """
    mark = next((name for start, name in _MARKS if content.startswith(start)), None)
    known = _known(declared)
    encodings = (mark, "utf-8", known) if known == "cp1252" else (known, mark, "utf-8")
    for encoding in filter(None, encodings):
        try:
            return content.decode(encoding).removeprefix("\ufeff")
        except UnicodeError:
            continue
    if _BINARY.search(content):
        raise ExtractionError(f"it is not text: give {FORMATS}")
    return content.decode("cp1252", errors="replace")


def declared_in_html(content: bytes) -> str:
    """Return the charset that a page declares in its first 2 KiB, or an empty string."""
    found = _META.search(content, 0, _META_BYTES)
    return found[1].decode("ascii", errors="replace") if found else ""


def charset_of(content_type: str) -> str:
    """Return the charset of a media type, or an empty string."""
    found = re.search(r";\s*charset\s*=\s*\"?([\w:.-]+)", content_type, re.IGNORECASE)
    return found[1] if found else ""


def _known(charset: str) -> str | None:
    """Return the codec of a charset, or None if there is none for text."""
    try:
        name = codecs.lookup(charset).name
        "".encode(name)  # LookupError for a codec that is not for text, such as hex
    except (LookupError, ValueError):
        return None
    return "cp1252" if name in _WINDOWS else name
