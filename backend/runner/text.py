"""The extracted text of a document, and the error if there is none."""

import re
import unicodedata
from typing import Final, Protocol

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]|[\ud800-\udfff]")
# Soft hyphens, zero-width spaces, marks of direction. Joiners stay: some scripts need them.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)
_LIGATURES: Final = re.compile("[\ufb00-\ufb06\u0132\u0133]")
_SPACES: Final = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_MAX_TITLE_CHARACTERS: Final = 300


FORMATS: Final = "text, Markdown, HTML, PDF, CSV, or Word, Excel or PowerPoint (docx, xlsx, pptx)"
"""What can be read, for messages."""

NO_TEXT: Final = "it contains no text: look at it in its own program; an image needs OCR first"


class ExtractionError(ValueError):
    """No text can be extracted from a document; the message gives the reason."""


class ExtractedText(Protocol):
    """The text of a document in sections, each extracted on demand."""

    title: str | None
    paged: bool

    def __len__(self) -> int:
        """Return the number of sections: the pages of a paged document, else one."""

    def section(self, index: int) -> str:
        """Return the text of a section; it may be empty.

        Raises:
            ExtractionError: The section cannot be read; others may be readable.
        """


class WholeText:
    """A text of one section.

    Raises:
        ExtractionError: The text is empty.
    """

    paged = False

    def __init__(self, text: str, title: str | None) -> None:
        if not text:
            raise ExtractionError(NO_TEXT)
        self.title = title
        self._text = text

    def __len__(self) -> int:
        return 1

    def section(self, index: int) -> str:  # noqa: ARG002 - a whole text has one section
        return self._text


def too_large(max_bytes: int) -> ExtractionError:
    """Return the error of a document that is larger than a limit."""
    return ExtractionError(f"over {max_bytes:,} bytes: split it")


def clean(text: str) -> str:
    """Return text as people write it, and as they search for it.

    Line ends are `\\n`, ligatures are letters, accents are composed, every space is a space, and
    there are no control characters or excess space.
    """
    text = (
        text.replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\u2028", "\n")
        .replace("\u2029", "\n\n")
    )
    text = _INVISIBLE.sub("", _CONTROLS.sub("", text))
    text = _SPACES.sub(
        " ", _LIGATURES.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    )
    text = unicodedata.normalize("NFC", text)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def clean_title(text: str) -> str | None:
    """Return a title on one line, shortened; None if it is blank."""
    return clean(" ".join(text.split()))[:_MAX_TITLE_CHARACTERS].strip() or None
