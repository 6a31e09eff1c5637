"""The condition operators of IAM policies that this project's policies use."""

import fnmatch
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

type Context = Mapping[str, str | tuple[str, ...]]
type Conditions = Mapping[str, Mapping[str, Any]]

_IF_EXISTS: Final = "IfExists"
_ANY: Final = "ForAnyValue:"
_ALL: Final = "ForAllValues:"


def like(value: str, pattern: str) -> bool:
    """Return whether a value matches a pattern of `*` and `?`."""
    return _compiled(pattern).fullmatch(value) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # `[` is an ordinary character in a policy, but a special one in fnmatch.
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


def as_list(value: Any) -> list[str]:
    """Return a policy's string or list of strings as a list."""
    return [value] if isinstance(value, str) else list(value)


def _equal(value: str, expected: Iterable[str]) -> bool:
    return value in expected


def _matched(value: str, patterns: Iterable[str]) -> bool:
    return any(like(value, pattern) for pattern in patterns)


# For each operator, its comparison and whether it is negated.
_COMPARISONS: Final[dict[str, tuple[Callable[[str, Iterable[str]], bool], bool]]] = {
    "StringEquals": (_equal, False),
    "StringNotEquals": (_equal, True),
    "StringLike": (_matched, False),
    "StringNotLike": (_matched, True),
    "ArnEquals": (_matched, False),
    "ArnLike": (_matched, False),
}


def refuse_unknown(conditions: Conditions) -> None:
    """Raise `ValueError` for an operator or a policy variable that is not evaluated here."""
    for operator, expected in conditions.items():
        name = operator.removeprefix(_ANY).removeprefix(_ALL).removesuffix(_IF_EXISTS)
        if operator != "Null" and name not in _COMPARISONS:
            raise ValueError(f"the condition operator {operator} is not evaluated here")
        for values in expected.values():
            if any("${" in value for value in as_list(values)):
                raise ValueError(f"the policy variable in {values} is not evaluated here")


def met(conditions: Conditions, context: Context) -> bool:
    """Return whether all conditions of a statement are met.

    As in IAM: names of keys are case-insensitive. A condition on a missing key is not met, unless
    the operator is negated, ends in `IfExists`, or begins with `ForAllValues:`.
    """
    folded = {key.lower(): value for key, value in context.items()}
    return all(_results(conditions, folded))


def _results(conditions: Conditions, context: Context) -> Iterator[bool]:
    for operator, expected in conditions.items():
        for key, values in expected.items():
            yield _result(operator, as_list(values), context.get(key.lower()))


def _result(operator: str, expected: list[str], found: str | tuple[str, ...] | None) -> bool:
    if operator == "Null":
        return (found is None) == (expected == ["true"])
    compare, negated = _COMPARISONS[
        operator.removeprefix(_ANY).removeprefix(_ALL).removesuffix(_IF_EXISTS)
    ]
    if operator.startswith((_ANY, _ALL)):
        results = [compare(value, expected) != negated for value in as_list(found or ())]
        return any(results) if operator.startswith(_ANY) else all(results)
    if found is None:
        return negated or operator.endswith(_IF_EXISTS)
    if not isinstance(found, str):
        raise TypeError(f"{operator} has several values to compare: use {_ANY} or {_ALL}")
    return compare(found, expected) != negated
