"""Text of Word documents: Mammoth writes them as HTML, which is read like a page."""

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, tostring

from runner.html import read_html
from runner.office.archive import OfficeArchive, translate_errors
from runner.office.truth import is_true
from runner.text import ExtractionError, WholeText
from runner.titles import title_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_STYLES: Final = "p[style-name='Title'] => h1.title:fresh\np[style-name='Subtitle'] => p:fresh"
_BACK_LINK: Final = re.compile(r' ?<a href="#(?:foot|end)note-ref-[^"]*">\u2191</a>')
_TITLE: Final = re.compile(r'<h1 class="title">')
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def read_word(archive: OfficeArchive) -> WholeText:
    """Return the text of a document: its headings, tables, lists and notes, in this order.

    Headers and footers of pages, comments, deleted and hidden text are left out. Word does not
    store where pages end, so the text has none.

    Raises:
        ExtractionError: The document is damaged or has no text.
    """
    page = translate_errors(lambda: _as_html(archive))
    document = read_html(page, first_row_names=True)
    heading = document.title if _TITLE.search(page) else None
    document.title = heading or title_of(archive.title(), document.title)
    return document


def _as_html(archive: OfficeArchive) -> str:
    import mammoth  # type: ignore[import-untyped]

    found = mammoth.convert_to_html(
        BytesIO(_without_hidden_text(archive)),
        style_map=_STYLES,
        include_embedded_style_map=False,
        convert_image=_no_image,
    )
    return _BACK_LINK.sub("", str(found.value))


def _no_image(_image: Any) -> list[Any]:
    return []


def _without_hidden_text(archive: OfficeArchive) -> bytes:
    """Return the document without the runs that its author hid, which Mammoth would show."""
    content = archive.read(archive.main_part)
    if b":vanish" not in content:
        return archive.content
    root = archive.xml(archive.main_part)
    if root is None:
        raise ExtractionError("the document has no text")
    for parent in list(root.iter()):
        for run in list(_hidden_runs(parent)):
            parent.remove(run)
    return archive.with_part(archive.main_part, tostring(root))


def _hidden_runs(parent: Element) -> "Iterator[Element]":
    for run in parent.iterfind(f"{_W}r"):
        mark = run.find(f"{_W}rPr/{_W}vanish")
        if mark is not None and is_true(mark.get(f"{_W}val"), default=True):
            yield run
