"""Metadata filters in the syntax of Amazon S3 Vectors: parsing, evaluation, translation.

Both vector stores, `s3` and `s3vectors`, return the same documents for a filter. A list in the
metadata matches if any of its elements does.
`$ne` and `$nin` are the exact negations of `$eq` and `$in`: they also match documents without the
key. AWS does not document that case, so `to_s3vectors` states it explicitly.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from shared.documents import (
    MAX_METADATA_KEY_CHARACTERS,
    MAX_SAFE_INTEGER,
    Metadata,
    Scalar,
    is_unicode,
)
from shared.errors import Unprocessable

MAX_DEPTH = 8
MAX_CONDITIONS = 64
MAX_VALUES = 100
MAX_VALUE_CHARACTERS = 1024

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "$gt": lambda found, wanted: found > wanted,
    "$gte": lambda found, wanted: found >= wanted,
    "$lt": lambda found, wanted: found < wanted,
    "$lte": lambda found, wanted: found <= wanted,
}
_OPERATORS = ("$eq", "$ne", *COMPARISONS, "$in", "$nin", "$exists")
_JOINS = ("$and", "$or")


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator applied to one key; `operand` has the type that the operator requires."""

    key: str
    operator: str
    operand: Scalar | tuple[Scalar, ...]

    def matches(self, metadata: Metadata) -> bool:
        if self.operator == "$exists":
            return (self.key in metadata) is self.operand
        value = metadata.get(self.key)
        found: Iterable[Scalar | None] = value if isinstance(value, list) else (value,)
        if self.operator in COMPARISONS:
            compare = COMPARISONS[self.operator]
            return any(
                compare(one, self.operand)
                for one in found
                if is_number(one) and is_number(self.operand)
            )
        wanted = self.operand if isinstance(self.operand, tuple) else (self.operand,)
        equal = any(_equal(one, other) for one in found for other in wanted)
        return equal if self.operator in {"$eq", "$in"} else not equal

    def to_s3vectors(self) -> dict[str, Any]:
        operand = list(self.operand) if isinstance(self.operand, tuple) else self.operand
        condition = {self.key: {self.operator: operand}}
        if self.operator in {"$ne", "$nin"}:
            return {"$or": [condition, {self.key: {"$exists": False}}]}
        return condition


@dataclass(frozen=True, slots=True)
class Join:
    """One or more filters joined by `$and` or `$or`."""

    operator: str
    parts: "tuple[Filter, ...]"

    def matches(self, metadata: Metadata) -> bool:
        results = (part.matches(metadata) for part in self.parts)
        return all(results) if self.operator == "$and" else any(results)

    def to_s3vectors(self) -> dict[str, Any]:
        return {self.operator: [part.to_s3vectors() for part in self.parts]}


type Filter = Condition | Join


def parse_filter(document: Mapping[str, Any]) -> Filter:
    """Parse a caller's filter.

    Raises:
        Unprocessable: It is invalid; the message gives the path in the filter and the rule.
    """
    parts = list(_parse(document, path="filter", depth=1))
    if _count(parts) > MAX_CONDITIONS:
        raise Unprocessable(f"filter: at most {MAX_CONDITIONS} conditions are allowed")
    return _joined("$and", parts)


def _parse(document: object, *, path: str, depth: int) -> list[Filter]:
    if not isinstance(document, Mapping):
        raise Unprocessable(f"{path}: expected an object such as {{'topic': 'savings'}}")
    if not document:
        raise Unprocessable(f"{path}: must not be empty; omit it to match everything")
    if depth > MAX_DEPTH:
        raise Unprocessable(f"filter: nested deeper than {MAX_DEPTH} levels; flatten it")
    parts: list[Filter] = []
    for key, value in document.items():
        here = f"{path}.{_shown(key)}"
        if key in _JOINS:
            if not isinstance(value, list) or not value:
                raise Unprocessable(f"{here}: expected a list of at least one filter")
            branches = [
                _joined("$and", _parse(branch, path=f"{here}[{number}]", depth=depth + 1))
                for number, branch in enumerate(value[: MAX_CONDITIONS + 1])
            ]
            parts.append(_joined(key, branches))
        elif key.startswith("$"):
            raise Unprocessable(
                f"{here}: unknown operator; use $and or $or here, and below a key one of "
                f"{', '.join(_OPERATORS)}"
            )
        else:
            parts += _conditions(_checked_key(key, here), value, here)
    return parts


def _conditions(key: str, value: object, path: str) -> list[Filter]:
    if not isinstance(value, Mapping):
        return [Condition(key, "$eq", _scalar(value, path))]
    if not value:
        raise Unprocessable(f"{path}: expected a value or one of {', '.join(_OPERATORS)}")
    return [
        Condition(key, str(operator), _operand(operator, operand, f"{path}.{_shown(operator)}"))
        for operator, operand in value.items()
    ]


def _operand(operator: object, operand: object, path: str) -> Scalar | tuple[Scalar, ...]:
    if operator not in _OPERATORS:
        raise Unprocessable(f"{path}: unknown operator; use one of {', '.join(_OPERATORS)}")
    if operator == "$exists":
        if not isinstance(operand, bool):
            raise Unprocessable(f"{path}: expected true or false")
        return operand
    if operator in {"$in", "$nin"}:
        if not isinstance(operand, list) or not 0 < len(operand) <= MAX_VALUES:
            raise Unprocessable(f"{path}: expected a list of 1 to {MAX_VALUES} values")
        return tuple(_scalar(one, f"{path}[{number}]") for number, one in enumerate(operand))
    value = _scalar(operand, path)
    if operator in COMPARISONS and not is_number(value):
        raise Unprocessable(f"{path}: expected a number")
    return value


def _scalar(value: object, path: str) -> Scalar:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _checked_text(value, path, MAX_VALUE_CHARACTERS)
    if isinstance(value, int | float):
        # Both stores compare doubles, which cannot represent every larger integer.
        if (isinstance(value, int) and abs(value) <= MAX_SAFE_INTEGER) or (
            isinstance(value, float) and math.isfinite(value)
        ):
            return value
        raise Unprocessable(f"{path}: expected a finite number within ±2^53 for integers")
    raise Unprocessable(f"{path}: expected a string, a number, true or false")


def _checked_key(key: str, path: str) -> str:
    if not key or key.startswith("_"):
        raise Unprocessable(f"{path}: a metadata key must not be empty or start with '_'")
    return _checked_text(key, path, MAX_METADATA_KEY_CHARACTERS)


def _checked_text(text: str, path: str, limit: int) -> str:
    if len(text) > limit:
        raise Unprocessable(f"{path}: longer than {limit} characters")
    if not is_unicode(text):
        raise Unprocessable(f"{path}: is not valid Unicode (a lone surrogate)")
    return text


def _joined(operator: str, parts: Sequence[Filter]) -> Filter:
    return parts[0] if len(parts) == 1 else Join(operator, tuple(parts))


def _count(parts: Sequence[Filter]) -> int:
    return sum(_count(one.parts) if isinstance(one, Join) else 1 for one in parts)


def _shown(key: object) -> str:
    """Return the key for a message: shortened, in ASCII."""
    return ascii(str(key)[:40])[1:-1]


def is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(one: object, other: object) -> bool:
    # In Python True == 1; in a filter a boolean never equals a number.
    return isinstance(one, bool) is isinstance(other, bool) and one == other
