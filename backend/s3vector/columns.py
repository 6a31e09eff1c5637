"""The metadata of a segment's documents by key, so that a filter is a few numpy operations.

A column has the distinct values of one key. A condition is evaluated for each of them, not for
each document: equality by a dictionary, comparison over an array. It is built at the first filter
that names its key.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from s3vector.filters import COMPARISONS, Condition, Filter, Join, is_number
from shared.documents import Metadata, Scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Columns:
    """The metadata of documents, in their order."""

    def __init__(self, metadata: Sequence[Metadata]) -> None:
        self._metadata = metadata
        self._columns: dict[str, _Column] = {}

    def matching(self, where: Filter) -> "NDArray[np.bool]":
        """Return whether each document matches a filter, as `Filter.matches` does."""
        if isinstance(where, Join):
            parts = [self.matching(one) for one in where.parts]
            result = parts[0]
            for one in parts[1:]:
                result = result & one if where.operator == "$and" else result | one
            return result
        column = self._columns.get(where.key)
        if column is None:
            column = self._columns[where.key] = _Column(self._metadata, where.key)
        return column.matching(where)


class _Column:
    """The values of one key: those of a list count each."""

    def __init__(self, metadata: Sequence[Metadata], key: str) -> None:
        import numpy as np

        self._codes_of: dict[tuple[bool, Scalar], int] = {}
        owners: list[int] = []
        codes: list[int] = []
        present: list[int] = []
        for number, one in enumerate(metadata):
            if key not in one:
                continue
            present.append(number)
            value = one[key]
            for each in value if isinstance(value, list) else (value,):
                owners.append(number)
                codes.append(self._codes_of.setdefault(_typed(each), len(self._codes_of)))
        self._documents = len(metadata)
        self._owners = np.array(owners, dtype=np.uint32)
        self._codes = np.array(codes, dtype=np.uint32)
        self._present = np.array(present, dtype=np.uint32)
        self._numbers = np.array(
            [value if is_number(value) else np.nan for _, value in self._codes_of], dtype=np.float64
        )

    def matching(self, condition: Condition) -> "NDArray[np.bool]":
        import numpy as np

        operand = condition.operand
        if condition.operator == "$exists":
            matching = np.zeros(self._documents, dtype=bool)
            matching[self._present] = True
            return matching if operand else ~matching
        if condition.operator in COMPARISONS:
            return self._documents_with(COMPARISONS[condition.operator](self._numbers, operand))
        wanted = np.zeros(len(self._numbers), dtype=bool)
        for one in operand if isinstance(operand, tuple) else (operand,):
            code = self._codes_of.get(_typed(one))
            if code is not None:
                wanted[code] = True
        matching = self._documents_with(wanted)
        return matching if condition.operator in {"$eq", "$in"} else ~matching

    def _documents_with(self, wanted: "NDArray[np.bool]") -> "NDArray[np.bool]":
        """Return whether each document has one of the values."""
        import numpy as np

        matching = np.zeros(self._documents, dtype=bool)
        if wanted.any():
            matching[self._owners[wanted[self._codes]]] = True
        return matching


def _typed(value: Scalar) -> tuple[bool, Scalar]:
    # In Python True == 1; in a filter a boolean never equals a number.
    return isinstance(value, bool), value
