"""Postings of a segment: for each word, the rows (passages) that have it, and how often.

Words are stored as 64-bit hashes in ascending order, so that a word is found by binary search and
takes 8 bytes in memory. In a segment's header the arrays are base64 of little-endian numbers; a
number of the words' version is beside them. Postings of another version are not used.
"""

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from s3vector.words import VERSION, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_COUNTED: Final = 255
_FEW_ROWS: Final = 2**16


@dataclass(frozen=True, slots=True)
class Postings:
    """The words of the rows of a segment.

    Attributes:
        hashes: The hash of each word, ascending.
        ends: For each word, where its postings end in `rows` and `counts`.
        rows: The rows of each word, ascending within a word.
        counts: How often the row has the word, at most 255.
        lengths: The number of words of each row.
    """

    hashes: "NDArray[np.uint64]"
    ends: "NDArray[np.uint32]"
    rows: "NDArray[np.unsignedinteger]"
    counts: "NDArray[np.uint8]"
    lengths: "NDArray[np.uint32]"

    def find(self, hashes: "NDArray[np.uint64]") -> list[tuple[int, int, int]]:
        """Return (index in `hashes`, start, end) of the postings of each word that is there."""
        if not len(self.hashes):
            return []
        places = self.hashes.searchsorted(hashes)
        places[places == len(self.hashes)] = 0
        found = (self.hashes[places] == hashes).nonzero()[0]
        places = places[found]
        ends = self.ends[places].tolist()
        starts = self.ends[places - 1].tolist()
        return [
            (number, start if place else 0, end)
            for number, place, start, end in zip(
                found.tolist(), places.tolist(), starts, ends, strict=True
            )
        ]

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays."""
        arrays = (self.hashes, self.ends, self.rows, self.counts, self.lengths)
        return sum(one.nbytes for one in arrays)

    def encode(self) -> dict[str, Any]:
        """Return the postings as JSON for a segment's header."""
        fields: dict[str, Any] = {"version": VERSION}
        for name in _FIELDS:
            values = getattr(self, name)
            fields[name] = b64encode(
                values.astype(values.dtype.newbyteorder("<"), copy=False)
            ).decode()
        return fields


def make_postings(texts: Iterable[str]) -> Postings:
    """Return the postings of rows with these texts."""
    import numpy as np

    numbers: dict[str, int] = {}
    occurrences, lengths = array("I"), array("I")
    for text in texts:
        words = words_of(text)
        lengths.append(len(words))
        occurrences.extend([numbers.setdefault(one, len(numbers)) for one in words])
    hashes, ranks = np.unique(hashes_of(numbers), return_inverse=True)
    count = np.array(lengths, dtype=np.uint32)
    rows = np.repeat(np.arange(len(count), dtype=np.uint64), count)
    # One number for each pair of word and row, in the order of the words' hashes.
    pairs, counts = np.unique(
        ranks[np.array(occurrences, dtype=np.uint32)].astype(np.uint64) * len(count) + rows,
        return_counts=True,
    )
    words, rows = np.divmod(pairs, max(len(count), 1))
    ends = np.bincount(words.astype(np.intp), minlength=len(hashes)).cumsum()
    return Postings(
        hashes,
        ends.astype(np.uint32),
        rows.astype(_row_type(len(count))),
        counts.clip(max=_MOST_COUNTED).astype(np.uint8),
        count,
    )


def decode_postings(fields: Mapping[str, Any] | None, *, rows: int) -> Postings | None:
    """Return the postings in a segment's header; None if there are none of this version.

    Raises:
        ValueError: They do not fit to a segment of so many rows.
    """
    import numpy as np

    if fields is None or fields["version"] != VERSION:
        return None
    types: tuple[Any, ...] = (np.uint64, np.uint32, _row_type(rows), np.uint8, np.uint32)
    arrays: list[Any] = []
    for name, kind in zip(_FIELDS, types, strict=True):
        stored = np.dtype(kind).newbyteorder("<")
        values = np.frombuffer(b64decode(fields[name], validate=True), dtype=stored)
        arrays.append(values.astype(kind) if sys.byteorder == "big" else values)
    postings = Postings(*arrays)
    total = int(postings.ends[-1]) if len(postings.ends) else 0
    if (
        len(postings.hashes) != len(postings.ends)
        or not len(postings.rows) == len(postings.counts) == total
        or len(postings.lengths) != rows
        or (total and int(postings.rows.max()) >= rows)
        or (postings.ends[1:] < postings.ends[:-1]).any()
    ):
        raise ValueError("its postings do not fit to its passages")
    return postings


def hashes_of(words: Iterable[str]) -> "NDArray[np.uint64]":
    """Return a hash of each word, the same in every process."""
    import numpy as np

    digests = b"".join(blake2b(one.encode(), digest_size=8).digest() for one in words)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


_FIELDS: Final[Sequence[str]] = ("hashes", "ends", "rows", "counts", "lengths")


def _row_type(rows: int) -> "type[np.unsignedinteger]":
    import numpy as np

    return np.uint16 if rows <= _FEW_ROWS else np.uint32
