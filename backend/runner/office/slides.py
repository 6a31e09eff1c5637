"""Text of PowerPoint presentations: each slide is a page."""

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from runner.office.archive import OfficeArchive, translate_errors
from runner.office.truth import is_true
from runner.tables import markdown_table
from runner.text import NO_TEXT, ExtractionError, clean, clean_title
from runner.titles import title_of

MAX_SLIDES: Final = 2000

_A: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P: Final = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_TITLES: Final = {"title", "ctrTitle"}
# Repeated on each slide: the date, the footer, the number, and on notes the slide's picture.
_FURNITURE: Final = {"dt", "ftr", "sldNum", "hdr", "sldImg"}


class SlidesText:
    """The text of a presentation; its sections are the slides, numbered as PowerPoint does.

    Each slide has its title as a heading, its text, its tables and its speaker's notes. Hidden
    slides are empty; hidden shapes, footers and slide numbers are left out.

    Raises:
        ExtractionError: The presentation is damaged, or has no or over `MAX_SLIDES`
            slides.
    """

    paged = True

    def __init__(self, archive: OfficeArchive) -> None:
        self._archive = archive
        self._parts = translate_errors(
            lambda: [part for _, part, _ in archive.listed(f"{_P}sldId")]
        )
        if not self._parts:
            raise ExtractionError(NO_TEXT)
        if len(self._parts) > MAX_SLIDES:
            raise ExtractionError(f"it has {len(self._parts):,} slides, over {MAX_SLIDES:,}")
        self.title = title_of(archive.title(), self._first_title())

    def __len__(self) -> int:
        return len(self._parts)

    def section(self, index: int) -> str:
        slide = translate_errors(lambda: self._slide(index))
        if slide is None:
            return ""
        titles, lines = [*_titles(slide)], [*_lines(slide)]
        notes = translate_errors(lambda: [*self._notes(index)])
        if notes:
            lines += ["", "Notes:", *notes]
        return clean("\n".join([*(f"# {title}\n" for title in titles), *lines]))

    def _slide(self, index: int) -> Element | None:
        """Return the root of a slide, or None if the slide is hidden."""
        root = self._archive.xml(self._parts[index])
        if root is None:
            raise ExtractionError("the slide is missing: open the presentation and save it again")
        return root if is_true(root.get("show"), default=True) else None

    def _notes(self, index: int) -> Iterator[str]:
        for part, kind in self._archive.related(self._parts[index]).values():
            if kind == "notesSlide" and (root := self._archive.xml(part)) is not None:
                yield from _lines(root)

    def _first_title(self) -> str | None:
        try:
            root = self._slide(0)
        except ExtractionError:
            return None
        return next(_titles(root), None) if root is not None else None


def _titles(root: Element) -> Iterator[str]:
    for shape in _shapes(root):
        if _placeholder(shape) in _TITLES and (title := clean_title(" ".join(_paragraphs(shape)))):
            yield title


def _lines(root: Element) -> Iterator[str]:
    """Yield the lines of all shapes but titles and what repeats on each slide."""
    for shape in _shapes(root):
        if _placeholder(shape) in _TITLES | _FURNITURE:
            continue
        table = shape.find(f".//{_A}tbl")
        if table is None:
            yield from _paragraphs(shape)
        else:
            yield from ["", *_table(table), ""]


def _shapes(root: Element) -> Iterator[Element]:
    """Yield the visible shapes and frames, with those in groups."""
    for child in root:
        if child.tag in {f"{_P}sp", f"{_P}graphicFrame"}:
            if not _is_hidden(child):
                yield child
        elif child.tag != f"{_P}grpSp" or not _is_hidden(child):
            yield from _shapes(child)


def _is_hidden(shape: Element) -> bool:
    properties = shape.find(f"./*/{_P}cNvPr")
    return properties is not None and is_true(properties.get("hidden"), default=False)


def _placeholder(shape: Element) -> str:
    found = shape.find(f"./{_P}nvSpPr/{_P}nvPr/{_P}ph")
    return found.get("type", "") if found is not None else ""


def _paragraphs(root: Element) -> Iterator[str]:
    for paragraph in root.iter(f"{_A}p"):
        pieces = (
            " " if one.tag == f"{_A}br" else one.text or ""
            for one in paragraph.iter()
            if one.tag in {f"{_A}t", f"{_A}br"}
        )
        if line := " ".join("".join(pieces).split()):
            yield line


def _table(table: Element) -> list[str]:
    rows: list[list[str]] = []
    for row in table.iter(f"{_A}tr"):
        texts: list[str] = []
        for place, cell in enumerate(row.iter(f"{_A}tc")):
            text = " ".join(_paragraphs(cell))
            if cell.get("hMerge") and texts:
                text = texts[-1]
            elif cell.get("vMerge") and rows and place < len(rows[-1]):
                text = rows[-1][place]
            texts.append(text)
        rows.append(texts)
    properties = table.find(f"{_A}tblPr")
    names = properties is not None and is_true(properties.get("firstRow"), default=False)
    return markdown_table(rows, int(names))
