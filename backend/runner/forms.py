"""The fields of a PDF's form, with the values that were filled in."""

import ctypes
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument  # type: ignore[import-untyped]

_MOST_FIELDS: Final = 1000
_MOST_BYTES: Final = 8192


def field_lines(document: "PdfDocument", index: int) -> list[str]:
    """Return `name: value` for each filled field of a page. `init_forms` must have been called."""
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    if document.formenv is None:
        return []
    form = document.formenv.raw
    page = document[index]
    lines: list[str] = []
    try:
        count = min(pdfium.FPDFPage_GetAnnotCount(page.raw), _MOST_FIELDS)
        for number in range(count):
            annotation = pdfium.FPDFPage_GetAnnot(page.raw, number)
            if not annotation:
                continue
            try:
                if pdfium.FPDFAnnot_GetSubtype(annotation) != pdfium.FPDF_ANNOT_WIDGET:
                    continue
                # The alternate name is what a reader of the form is shown.
                name = _text(pdfium.FPDFAnnot_GetFormFieldAlternateName, form, annotation) or _text(
                    pdfium.FPDFAnnot_GetFormFieldName, form, annotation
                )
                value = _text(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
                if value and value != "Off":
                    lines.append(f"{name or 'field'}: {value}")
            finally:
                pdfium.FPDFPage_CloseAnnot(annotation)
    finally:
        page.close()
    return lines


def _text(read: Any, form: Any, annotation: Any) -> str:
    buffer = (ctypes.c_ushort * (_MOST_BYTES // 2))()
    size = read(form, annotation, buffer, _MOST_BYTES)
    if not 2 <= size <= _MOST_BYTES:
        return ""
    return " ".join(bytes(buffer)[: size - 2].decode("utf-16-le", errors="replace").split())
