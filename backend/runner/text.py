"""The extracted text of a document, and the error if there is none."""

import re
from typing import Final, Protocol

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")
_MAX_TITLE_CHARACTERS: Final = 300


class ExtractionError(ValueError):
    """No text can be extracted from a document; the message gives the reason."""


class ExtractedText(Protocol):
    """The text of a document in sections, each extracted on demand."""

    title: str | None
    paged: bool

    def __len__(self) -> int:
        """Return the number of sections: the pages of a paged document, else one."""

    def section(self, index: int) -> str:
        """Return the text of a section; it may be empty."""


class WholeText:
    """A text of one section.

    Raises:
        ExtractionError: The text is empty.
    """

    paged = False

    def __init__(self, text: str, title: str | None) -> None:
        if not text:
            raise ExtractionError("it contains no text")
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
    """Return text with `\\n` line ends only, and without control characters or excess space."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", text)
    text = re.sub(r"[^\S\n]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def clean_title(text: str) -> str | None:
    """Return a title on one line, shortened; None if it is blank."""
    return clean(" ".join(text.split()))[:_MAX_TITLE_CHARACTERS].strip() or None
