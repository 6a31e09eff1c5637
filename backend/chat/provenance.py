"""The date of a document's facts and the page of a passage, read from the document's metadata.

The time of ingestion is never used: a document of 2019 that is stored today dates from 2019.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

DATE_KEYS: Final = (
    "as_of",
    "effective",
    "effective_date",
    "effective_from",
    "published",
    "published_at",
    "publication_date",
    "date",
    "year",
)
PAGE_KEYS: Final = ("page", "page_number")
# The runner's keys. Its documents have one page each; those of earlier releases had several.
FIRST_PAGE_KEY: Final = "first_page"
LAST_PAGE_KEY: Final = "last_page"

_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ].*)?)?)?$", re.DOTALL)
_YEARS: Final = range(1000, 3000)
_MAX_CHARACTERS: Final = 40


def as_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the first date in `DATE_KEYS` as `2026-04-01`, `2026-04` or `2026`."""
    return next((found for key in DATE_KEYS if (found := _date(metadata.get(key)))), None)


def page(metadata: Mapping[str, Any]) -> int | None:
    """Return the page, counted from 1."""
    found = next((found for key in PAGE_KEYS if (found := _page(metadata.get(key)))), None)
    first, last = (_page(metadata.get(key)) for key in (FIRST_PAGE_KEY, LAST_PAGE_KEY))
    return found or (first if first == last else None)


def _date(value: object) -> str | None:
    # One of the vector stores returns every number as a float: 2019.0.
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(int(value)) if value in _YEARS else ""
    if not isinstance(value, str):
        return None
    found = _DATE.match(value.strip()[:_MAX_CHARACTERS])
    if found is None:
        return None
    year, month, day = found.groups()
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    return "-".join(part for part in (year, month, day) if part)


def _page(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 8:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
