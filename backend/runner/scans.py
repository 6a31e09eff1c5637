"""Pages of a PDF without text that can be read."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pypdfium2 import PdfPage  # type: ignore[import-untyped]

_LEAST_SHARE: Final = 0.5
_MOST_OBJECTS: Final = 2000


def is_scan(page: "PdfPage") -> bool:
    """Return whether images cover most of a page, which has no text.

    OCR would begin here: `page.render()` returns the page as a bitmap, and the words found in it
    would be the text of the page.
    """
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    width, height = page.get_size()
    covered = 0.0
    for number, image in enumerate(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE])):
        if number == _MOST_OBJECTS:
            break
        left, bottom, right, top = image.get_bounds()
        visible_width = max(0.0, min(right, width) - max(left, 0.0))
        visible_height = max(0.0, min(top, height) - max(bottom, 0.0))
        covered += visible_width * visible_height
    return bool(covered > width * height * _LEAST_SHARE)
