"""The lines of a PDF's page, with where their pieces are and how large they are."""

import ctypes
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage  # type: ignore[import-untyped]

MAX_CHARACTERS: Final = 50_000
"""The longest page whose positions are read; text on a longer one keeps PDFium's order."""

_NAME_BYTES: Final = 128
_GAP: Final = 1.0  # between two cells, in heights of a character; words in a line are closer
_RAISED: Final = 0.6
_FEWEST_CHARACTERS: Final = 2  # of a piece, on average
_LEADER: Final = re.compile(r"(?:[.\u2026\u00b7_] ?){4,}")


@dataclass(slots=True)
class Piece:
    """Text without a wide gap in it, and its box in points from the page's lower left corner."""

    text: str
    left: float
    right: float
    bottom: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(slots=True)
class Line:
    """A line as PDFium reads it; without `pieces` if it is blank or its places are unknown."""

    text: str
    pieces: list[Piece] = field(default_factory=list)
    size: float = 0.0
    is_bold: bool = False


def read_lines(page: "PdfTextPage", turned: int = 0, *, with_places: bool = True) -> list[Line]:
    """Return the lines of a page in the order of reading, as far as PDFium knows it.

    Args:
        page: The page.
        turned: By how many degrees a reader is shown it turned clockwise.
        with_places: Whether to read where the pieces are, which takes some milliseconds.
    """
    text = str(page.get_text_range())
    # A character beyond U+FFFF has two places in PDFium's text and one in ours.
    if not with_places or len(text) != page.count_chars() or len(text) > MAX_CHARACTERS:
        return [Line(line) for line in text.replace("\r\n", "\n").split("\n")]
    lines: list[Line] = []
    for turn in dict.fromkeys((turned, 90, 270)):
        lines = _placed(page, text, turn)
        pieces = [piece for line in lines for piece in line.pieces]
        # Tables are often turned on a page that is not: then each letter is a piece.
        if len(pieces) * _FEWEST_CHARACTERS <= sum(len(piece.text) for piece in pieces):
            return lines
    return [Line(line.text) for line in lines]


def _placed(page: "PdfTextPage", text: str, turned: int) -> list[Line]:
    lines: list[Line] = []
    start = 0
    for line in text.split("\n"):
        lines.append(_line(page, line.removesuffix("\r"), start, turned))
        start += len(line) + 1
    return lines


def _line(page: "PdfTextPage", text: str, start: int, turned: int) -> Line:
    pieces = [*_pieces(page, text, start, turned)]
    first = next((place for place, one in enumerate(text) if one.isalpha()), None)
    if first is None or not pieces:
        return Line(text, pieces)
    return Line(text, pieces, _size(page, start + first), _is_bold(page, start + first))


def _pieces(page: "PdfTextPage", text: str, start: int, turned: int) -> Iterator[Piece]:
    """Yield the pieces of a line; leaders of dots separate pieces as gaps do."""
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    box = pdfium.FS_RECTF()
    reference, raw, read = ctypes.byref(box), page.raw, pdfium.FPDFText_GetLooseCharBox
    leaders = {place for found in _LEADER.finditer(text) for place in range(*found.span())}
    piece: Piece | None = None
    pending = ""
    for place, character in enumerate(text):
        if character.isspace() or place in leaders:
            pending = "" if place in leaders else " "
            if place in leaders and piece is not None:
                yield piece
                piece = None
            continue
        if not read(raw, start + place, reference):
            continue
        left, right, bottom, top = _turned(box.left, box.right, box.bottom, box.top, turned)
        if piece is not None and _continues(piece, left, bottom, top):
            piece.text += pending + character
            piece.right = max(piece.right, right)
        else:
            if piece is not None:
                yield piece
            piece = Piece(character, left, right, bottom, top)
        pending = ""
    if piece is not None:
        yield piece


def _turned(
    left: float, right: float, bottom: float, top: float, degrees: int
) -> tuple[float, float, float, float]:
    match degrees:
        case 90:
            return bottom, top, -right, -left
        case 180:
            return -right, -left, -top, -bottom
        case 270:
            return -top, -bottom, left, right
    return left, right, bottom, top


def _continues(piece: Piece, left: float, bottom: float, top: float) -> bool:
    height = max(piece.height, 1.0)
    return (
        -height < left - piece.right < height * _GAP
        and abs((bottom + top) / 2 - piece.middle) < height * _RAISED
    )


def _size(page: "PdfTextPage", index: int) -> float:
    """Return the size of a character's font in points, as the page shows it."""
    import pypdfium2.raw as pdfium

    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(page.raw, index, ctypes.byref(matrix)):
        return 0.0
    size = float(pdfium.FPDFText_GetFontSize(page.raw, index))
    return size * math.hypot(matrix.c, matrix.d)


def _is_bold(page: "PdfTextPage", index: int) -> bool:
    import pypdfium2.raw as pdfium

    name = ctypes.create_string_buffer(_NAME_BYTES)
    flags = ctypes.c_int()
    size = pdfium.FPDFText_GetFontInfo(page.raw, index, name, _NAME_BYTES, ctypes.byref(flags))
    is_named = 0 < size <= _NAME_BYTES and re.search(rb"bold|black|heavy", name.value.lower())
    return bool(is_named) or pdfium.FPDFText_GetFontWeight(page.raw, index) >= 600
