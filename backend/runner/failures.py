"""Why documents, or some pages of them, were not ingested."""

from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, ConfigDict

MAX_ERRORS: Final = 100
"""The most errors stored in a job, to keep its object small; its numbers count all of them."""

_MOST_RANGES: Final = 50


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PageRange(_Record):
    """Consecutive pages, counted from 1; slides and sheets count as pages."""

    first: int
    last: int


class DocumentFailure(_Record):
    """Why a document was not ingested, or, if it has `pages`, why those were not."""

    document_id: str
    detail: str
    pages: tuple[PageRange, ...] = ()


def page_failure(document_id: str, section: int, detail: str) -> DocumentFailure:
    """Return the failure of one page. `section`: its index, counted from 0."""
    page = PageRange(first=section + 1, last=section + 1)
    return DocumentFailure(document_id=document_id, detail=detail, pages=(page,))


def joined(
    errors: Iterable[DocumentFailure], more: Iterable[DocumentFailure]
) -> tuple[DocumentFailure, ...]:
    """Return the failures with more behind them, at most `MAX_ERRORS`.

    Pages of the same document that failed for the same reason become one failure.
    """
    found = list(errors)
    for failure in more:
        place = _same(found, failure)
        if place is not None:
            found[place] = _with_pages(found[place], failure.pages)
        elif len(found) < MAX_ERRORS:
            found.append(failure)
    return tuple(found)


def _same(errors: list[DocumentFailure], failure: DocumentFailure) -> int | None:
    if not failure.pages:
        return None
    for place in range(len(errors) - 1, -1, -1):
        one = errors[place]
        if one.document_id != failure.document_id:
            return None  # a document's failures follow each other
        if one.detail == failure.detail and 0 < len(one.pages) < _MOST_RANGES:
            return place
    return None


def _with_pages(failure: DocumentFailure, pages: tuple[PageRange, ...]) -> DocumentFailure:
    ranges = list(failure.pages)
    for page in pages:
        if page.first == ranges[-1].last + 1:
            ranges[-1] = PageRange(first=ranges[-1].first, last=page.last)
        else:
            ranges.append(page)
    return failure.model_copy(update={"pages": tuple(ranges)})
