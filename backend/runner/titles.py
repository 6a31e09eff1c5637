"""Titles as a person would give them: not the name of a template or of a program's file."""

import re
from typing import Final

_PLACEHOLDER: Final = re.compile(
    r"(untitled|document|dokument|title|presentation|slide|workbook|book|mappe)?[\s\d-]*"
    r"|(powerpoint|word|excel)[ -](presentation|document|workbook|pr\u00e4sentation|dokument)"
    r"|pr[e\u00e9]sentation powerpoint|presentaci\u00f3n de powerpoint"
    r"|microsoft (word|excel|powerpoint) - .*"
    r"|[\w .()-]+\.(docx?|pptx?|xlsx?|odt|indd|pdf|q?xd|qxp|pub|fm|cdr|rtf|tex|dvi|exe|txt|html?)",
    re.IGNORECASE,
)


def title_of(*candidates: str | None) -> str | None:
    """Return the first title that somebody has chosen; None if there is none."""
    return next((one for one in candidates if one and not _PLACEHOLDER.fullmatch(one)), None)
