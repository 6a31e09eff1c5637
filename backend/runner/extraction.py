"""Text from documents: plain text, Markdown, HTML and PDF, with the parsers loaded when needed."""

import re
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from pypdf import PdfReader

Kind = Literal["text", "markdown", "html", "pdf"]

MAX_TEXT_BYTES: Final = 5 * 2**20
"""Of text, Markdown and HTML, whose parsers take time and memory by the byte."""

MAX_PAGES: Final = 2000

_BY_SUFFIX: Final[dict[str, Kind]] = {
    "txt": "text", "text": "text", "md": "markdown", "markdown": "markdown",
    "html": "html", "htm": "html", "xhtml": "html", "pdf": "pdf",
}  # fmt: skip
_BY_TYPE: Final[dict[str, Kind]] = {
    "text/plain": "text", "text/markdown": "markdown", "text/html": "html",
    "application/xhtml+xml": "html", "application/pdf": "pdf",
}  # fmt: skip
_BLOCKS: Final = {
    "address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt",
    "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "ul",
}  # fmt: skip
_UNSEEN: Final = {"script", "style", "noscript", "template", "svg", "math", "title"}
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")
_HEADING: Final = re.compile(r"^#\s+(.+?)\s*#*\s*$", re.MULTILINE)
_MAX_TITLE: Final = 300

# bs4 warns through the process's filters, which only one thread may swap at a time.
_html_lock = threading.Lock()


class ExtractionError(ValueError):
    """A document has no text that can be had; the message says why."""


class Extract(Protocol):
    """The text of a document in sections, each made when it is asked for."""

    title: str | None
    paged: bool

    def __len__(self) -> int:
        """Return the number of sections: pages, or one."""

    def section(self, index: int) -> str:
        """Return the text of a section, perhaps empty."""


def kind_of(name: str, content_type: str = "") -> Kind:
    """Return the kind that a file's name says, or its media type where the name says none.

    Raises:
        ExtractionError: Neither is one of the four kinds.
    """
    suffix = name.rpartition(".")[2].lower() if "." in name.rpartition("/")[2] else ""
    media_type = content_type.partition(";")[0].strip().lower()
    kind = _BY_SUFFIX.get(suffix) or _BY_TYPE.get(media_type)
    if kind is None:
        shown = f".{suffix[:20]}" if suffix else media_type[:60] or "no type"
        raise ExtractionError(f"unsupported ({shown}): give text, Markdown, HTML or PDF")
    return kind


def extract(content: bytes, kind: Kind) -> Extract:
    """Open a document.

    Raises:
        ExtractionError: It is too large, damaged, encrypted, or not in UTF-8.
    """
    if kind == "pdf":
        return _Pdf(content)
    if len(content) > MAX_TEXT_BYTES:
        raise too_large(MAX_TEXT_BYTES)
    if kind == "html":
        return _html(content)
    text = clean(_decode(content))
    heading = _HEADING.search(text) if kind == "markdown" else None
    return _Whole(text, _title(heading[1]) if heading else None)


def too_large(max_bytes: int) -> ExtractionError:
    """Return the error of a document over a limit."""
    return ExtractionError(f"over {max_bytes:,} bytes: split it")


def clean(text: str) -> str:
    """Return text with one kind of line end, and without characters that nobody sees."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", text)
    text = re.sub(r"[^\S\n]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


@dataclass(frozen=True)
class Part:
    """A piece of a document, at most as long as was asked for; `text` may be empty.

    `following` is section and offset of the next piece, None after the last.
    """

    text: str
    first_section: int
    last_section: int
    following: tuple[int, int] | None


def take_part(
    document: Extract,
    section: int,
    offset: int,
    *,
    characters: int,
    hurry: Callable[[], bool] = lambda: False,
) -> Part:
    """Return the piece of a document that begins at `offset` of `section`.

    Args:
        document: The document.
        section: Index of the first section.
        offset: Where in it to begin.
        characters: The longest piece.
        hurry: Asked before each further section; where it is true the piece ends early.
    """
    first = last = section
    pieces: list[str] = []
    room = characters
    while section < len(document):
        if section > first and hurry():
            break
        rest = document.section(section)[offset:]
        if len(rest) > room:
            if pieces:
                break  # it fits better into the next part, as a whole
            end = _break_before(rest, room)
            return Part(rest[:end].strip(), first, section, (section, offset + end))
        if rest.strip():
            pieces.append(rest.strip())
            last = section
            room -= len(rest) + 2
        section, offset = section + 1, 0
    following = (section, offset) if section < len(document) else None
    return Part("\n\n".join(pieces), first, last, following)


def _break_before(text: str, limit: int) -> int:
    """Return where to cut: behind a paragraph, a line, a sentence or a word, else at the limit."""
    for mark in ("\n\n", "\n", ". ", " "):
        found = text.rfind(mark, limit // 2, limit)
        if found > 0:
            return found + len(mark)
    return limit


class _Whole:
    """A document of one section."""

    paged = False

    def __init__(self, text: str, title: str | None) -> None:
        if not text:
            raise ExtractionError("it holds no text")
        self.title = title
        self._text = text

    def __len__(self) -> int:
        return 1

    def section(self, index: int) -> str:  # noqa: ARG002 - there is one
        return self._text


class _Pdf:
    """A PDF, read page by page."""

    paged = True

    def __init__(self, content: bytes) -> None:
        self._reader = _guarded(lambda: _open_pdf(content))
        self._pages = _guarded(lambda: len(self._reader.pages))
        if self._pages > MAX_PAGES:
            raise ExtractionError(f"it has {self._pages:,} pages, over {MAX_PAGES:,}: split it")
        self.title = _pdf_title(self._reader)

    def __len__(self) -> int:
        return self._pages

    def section(self, index: int) -> str:
        return clean(_guarded(lambda: str(self._reader.pages[index].extract_text())))


def _open_pdf(content: bytes) -> "PdfReader":
    import logging

    from pypdf import PasswordType, PdfReader

    # It reports each oddity of each file at warning level.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = PdfReader(BytesIO(content), strict=False)
    if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
        raise ExtractionError("it is encrypted: remove the password")
    return reader


def _guarded[R](read: Callable[[], R]) -> R:
    try:
        return read()
    except ExtractionError:
        raise
    # A damaged PDF makes the parser raise nearly anything; none of it is this program's fault.
    except Exception as error:
        raise ExtractionError(f"the PDF cannot be read ({type(error).__name__})") from error


def _pdf_title(reader: "PdfReader") -> str | None:
    try:
        return _title((reader.metadata and reader.metadata.title) or "")
    except Exception:  # noqa: BLE001 - a document with a damaged title is still a document
        return None


def _html(content: bytes) -> Extract:
    from bs4 import BeautifulSoup

    with _html_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            soup = BeautifulSoup(content, "html.parser")
            title = _title(soup.title.get_text() if soup.title else "") or _title(
                soup.h1.get_text() if soup.h1 else ""
            )
            return _Whole(clean(_visible_text(soup)), title)
        except ExtractionError:
            raise
        except (RecursionError, AssertionError, ValueError) as error:
            raise ExtractionError(f"the HTML cannot be read ({type(error).__name__})") from error


def _visible_text(soup: "BeautifulSoup") -> str:
    from bs4 import CData, Tag
    from bs4.element import NavigableString

    pieces: list[str] = []
    # A walk of our own: changing the tree, or bs4's recursion, takes time by the square of depth.
    ahead: list[object] = [soup]
    while ahead:
        node = ahead.pop()
        if isinstance(node, Tag):
            if node.name in _UNSEEN:
                continue
            if node.name in _BLOCKS:
                pieces.append("\n")
                ahead.append("\n")
            ahead.extend(reversed(node.contents))
        elif type(node) in {NavigableString, CData, str}:  # no comment, no declaration
            pieces.append(str(node))
    lines = "".join(pieces).splitlines()
    return "\n".join(" ".join(line.split()) for line in lines)


def _decode(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ExtractionError(
            f"it is not {encoding.removesuffix('-sig').upper()} at byte {error.start}"
        ) from None


def _title(text: str) -> str | None:
    return clean(" ".join(text.split()))[:_MAX_TITLE].strip() or None
