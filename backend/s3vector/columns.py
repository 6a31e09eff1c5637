"""The metadata of a segment's documents by key, so that a filter is a few numpy operations.

A column has the distinct values of one key. A condition is evaluated for each of them, not for
each document: equality by a dictionary, comparison over an array. It is built at the first filter
that names its key.
"""

from collections.abc import Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any

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

        values: list[Any] = [one.get(key) for one in metadata]
        types = set(map(type, values))
        self._documents = len(values)
        self._present = np.ones(len(values), dtype=bool)
        self._owners = np.arange(len(values), dtype=np.uint32)
        if NoneType in types:
            self._present = np.array([one is not None for one in values], dtype=bool)
        # Most columns have one plain value a document: no Python code runs for each of them.
        if not types <= {str, int, float}:
            pairs = [
                (number, _typed(each))
                for number, value in enumerate(values)
                if value is not None
                for each in (value if isinstance(value, list) else (value,))
            ]
            self._owners = np.array([number for number, _ in pairs], dtype=np.uint32)
            values = [each for _, each in pairs]
        self._codes_of = {value: code for code, value in enumerate(dict.fromkeys(values))}
        self._codes = np.fromiter(map(self._codes_of.__getitem__, values), np.uint32, len(values))
        self._numbers = np.array(
            [value if is_number(value) else np.nan for value in self._codes_of], dtype=np.float64
        )

    def matching(self, condition: Condition) -> "NDArray[np.bool]":
        import numpy as np

        operand = condition.operand
        if condition.operator == "$exists":
            return self._present if operand else ~self._present
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


def _typed(value: Scalar) -> Scalar | tuple[bool]:
    # In Python True == 1; in a filter a boolean never equals a number.
    return (value,) if isinstance(value, bool) else value
