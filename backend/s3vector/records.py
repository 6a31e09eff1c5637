"""The records of a segment's documents, by columns.

A segment of small documents has thousands of records. An object for each of them would take longer
to make than the segment's bytes take to arrive, so a record is made when it is asked for. Few
titles, times and metadata are distinct: each is kept once, and each document has a number of it.
"""

import sys
from array import array
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence, Sized
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Self

import orjson

from s3vector.columns import Columns
from s3vector.filters import Filter
from s3vector.store import DocumentRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Records:
    """The records of documents, which are numbered from 0.

    Args:
        ids: The id of each document.
        versions: The version of each.
        passages: The number of passages of each.
        titles: The title of each, or None.
        times: When each was stored.
        metadata: The metadata of each.

    Raises:
        ValueError: Their lengths differ, or an id occurs twice.
    """

    def __init__(
        self,
        ids: Sequence[str],
        versions: Sequence[str],
        passages: "array[int]",
        *,
        titles: "Coded",
        times: "Coded",
        metadata: "Coded",
    ) -> None:
        self.ids = ids
        self.numbers = {one: number for number, one in enumerate(ids)}
        self._versions = versions
        self._first_rows = array("I", accumulate(passages, initial=0))
        self._titles = titles
        self._times = times
        self._metadata = metadata
        columns: tuple[Sized, ...] = (self.numbers, versions, passages, titles, times, metadata)
        if {len(one) for one in columns} - {len(ids)}:
            raise ValueError("its columns do not have one value for each document")

    @classmethod
    def of(cls, documents: Sequence[Mapping[str, Any]]) -> Self:
        """Return the records in the list `documents` of a segment's header."""
        return cls(
            [one["id"] for one in documents],
            [one["version"] for one in documents],
            array("I", [len(one["texts"]) for one in documents]),
            titles=Coded.of(one["title"] for one in documents),
            times=Coded.of(one["updated_at"] for one in documents),
            metadata=Coded.of(one["metadata"] for one in documents),
        )

    @classmethod
    def decode(cls, columns: Mapping[str, Any]) -> Self:
        """Return what `encode` returned columns of."""
        return cls(
            columns["ids"],
            columns["versions"],
            decode_numbers(columns["passages"]),
            titles=Coded.decode(columns["titles"]),
            times=Coded.decode(columns["times"]),
            metadata=Coded.decode(columns["metadata"]),
        )

    def encode(self) -> dict[str, Any]:
        """Return the columns as JSON."""
        passages = (len(self.rows(number)) for number in range(len(self.ids)))
        return {
            "ids": self.ids,
            "versions": self._versions,
            "passages": encode_numbers(passages),
            "titles": self._titles.encode(),
            "times": self._times.encode(),
            "metadata": self._metadata.encode(),
        }

    @property
    def count_of_rows(self) -> int:
        """The number of passages of all documents."""
        return self._first_rows[-1]

    def rows(self, number: int) -> range:
        """Return the rows of a document's passages."""
        return range(*self._first_rows[number : number + 2])

    def number_of(self, row: int) -> int:
        """Return the number of the document that a row belongs to."""
        return bisect_right(self._first_rows, row) - 1

    def __getitem__(self, number: int) -> DocumentRecord:
        return DocumentRecord(
            id=self.ids[number],
            title=self._titles[number],
            metadata=self._metadata[number],
            version=self._versions[number],
            updated_at=self._times[number],
            passages=len(self.rows(number)),
        )

    def matching_rows(self, where: Filter) -> "NDArray[np.bool]":
        """Whether each row is of a document whose metadata match."""
        import numpy as np

        matching = self._columns.matching(where)[np.asarray(self._metadata.codes)]
        return matching if self._rows_of_each is None else np.repeat(matching, self._rows_of_each)

    @cached_property
    def _rows_of_each(self) -> "NDArray[np.intp] | None":
        """The number of rows of each document; None if each has one."""
        import numpy as np

        first_rows = np.asarray(self._first_rows, dtype=np.intp)
        rows = first_rows[1:] - first_rows[:-1]
        return None if (rows == 1).all() else rows

    @cached_property
    def _columns(self) -> Columns:
        return Columns(self._metadata.values)


class Coded:
    """A value for each document: the distinct values, and for each document the place of its own.

    Raises:
        ValueError: A document's value is none of them.
    """

    def __init__(self, values: Sequence[Any], codes: "array[int]") -> None:
        self.values = values
        self.codes = codes
        if codes and max(codes) >= len(values):
            raise ValueError("a column has fewer values than its codes name")

    @classmethod
    def of(cls, values: Iterable[Any]) -> Self:
        """Return a column of values that JSON can express."""
        distinct: list[Any] = []
        places: dict[bytes, int] = {}  # by the value's JSON: it tells 1, 1.0 and true apart
        codes = array("I")
        for value in values:
            place = places.setdefault(orjson.dumps(value), len(distinct))
            if place == len(distinct):
                distinct.append(value)
            codes.append(place)
        return cls(distinct, codes)

    @classmethod
    def decode(cls, column: Mapping[str, Any]) -> Self:
        return cls(column["values"], decode_numbers(column["codes"]))

    def encode(self) -> dict[str, Any]:
        return {"values": self.values, "codes": encode_numbers(self.codes)}

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, number: int) -> Any:
        return self.values[self.codes[number]]


def encode_numbers(numbers: Iterable[int]) -> str:
    """Return base64 of little-endian 32-bit numbers."""
    return b64encode(_little_endian(array("I", numbers))).decode()


def decode_numbers(text: str) -> "array[int]":
    """Return the numbers that `encode_numbers` returned text of.

    Raises:
        ValueError: It is not such a text.
    """
    numbers = array("I")
    numbers.frombytes(b64decode(text, validate=True))
    return _little_endian(numbers)


def _little_endian(numbers: "array[int]") -> "array[int]":
    """Return numbers with the bytes of each reversed, if the processor is big-endian."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
