"""The ids of the parts in which a long document is stored.

The first part has the document's own id, the others `ID:p2`, `ID:p3` and so on. An interrupted
ingestion or deletion may leave parts without the first one.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

_PART: Final = re.compile(r"(.+):p\d+")

# More ids in a row are not looked for. S3 Vectors reads 100 in one call.
_WINDOW: Final = 100


def part_id(document_id: str, part: int) -> str:
    """Return the id of a part, counted from 1."""
    return document_id if part == 1 else f"{later_prefix(document_id)}{part}"


def later_prefix(document_id: str) -> str:
    """Return what the ids of all parts but the first begin with."""
    return f"{document_id}:p"


def document_of(stored_id: str) -> str:
    """Return the id of the document that a stored id belongs to, perhaps as one of its parts."""
    found = _PART.fullmatch(stored_id)
    return found[1] if found else stored_id


def is_later_part(stored_id: str) -> bool:
    """Return whether an id is that of a part other than the first."""
    return document_of(stored_id) != stored_id


def find_parts[R](
    document_id: str, find: Callable[[Sequence[str]], Mapping[str, R]], *, first: int = 1
) -> dict[str, R]:
    """Return the parts of a document that exist, by id, in the order of the text.

    A few missing parts hide none that follow; the search ends after 100 missing ones in a row.

    Args:
        document_id: The document's id; the id of a part finds that part only.
        find: Returns what exists of some ids.
        first: The first part that is looked for.
    """
    if is_later_part(document_id):
        return dict(find([document_id]))
    parts: dict[str, R] = {}
    while True:
        ids = [part_id(document_id, number) for number in range(first, first + _WINDOW)]
        found = find(ids)
        parts |= {one: found[one] for one in ids if one in found}
        if found.keys() <= {document_id}:
            return parts
        first += _WINDOW
