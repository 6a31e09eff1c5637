"""Compares plans with the written tables."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tests.planned_values import Values
from tests.tables import ENVIRONMENTS, Instance, replaced

_NAMES: Final = re.compile(r"\w+(,\w+)*")  # such as the names in PEER_SERVICES


def differences(
    table: Mapping[str, Values],
    found: Iterable[Instance],
    variant: str,
    added: Sequence[Mapping[str, Values]] = (),
) -> list[str]:
    """Return a line for each value of one plan that is not as its table says.

    Args:
        table: The written table.
        found: The resources of the plan.
        variant: The plan's name.
        added: What each new service adds to the table.
    """
    tables = [_by_instance(each) for each in (table, *added)]
    lines = []
    seen: set[tuple[str, str | None, str]] = set()
    for item in found:
        where = item.address if item.key is None else f"{item.address}[{item.key}]"
        seen.add((item.address, item.key, item.plan))
        bodies = [each[(item.address, item.key)] for each in tables if _has(each, item)]
        if not bodies:
            lines.append(f"{item.plan}: {where}: planned, and not in the table")
            continue
        expected: Values = {}
        values = dict(item.values)
        for body in bodies:
            for path, value in _expected(body, item).items():
                # Where a service's elements are among the others depends on its name.
                if path in expected and path in values:
                    values[path] = _moved_to_the_end(values[path], value)
                expected[path] = _joined(expected[path], value) if path in expected else value
        for path in sorted({*expected, *values}):
            old, new = expected.get(path), values.get(path)
            if old != new:
                lines.append(f"{item.plan}: {where}: {path}: {_change(old, new)}")
    # Its own name too: a plan without any resource lacks all that the table has.
    known = {variant, *(plan for _, _, plan in seen)}
    for (address, key), body in (entry for each in tables for entry in each.items()):
        where = address if key is None else f"{address}[{key}]"
        for plan in sorted(known):
            is_of_plan = ("/" in plan) == ("{env}" in (key or "") or key in ENVIRONMENTS)
            if is_of_plan and _exists(body, plan) and (address, key, plan) not in seen:
                lines.append(f"{plan}: {where}: in the table, and not planned")
    return lines


def _by_instance(table: Mapping[str, Values]) -> dict[tuple[str, str | None], Values]:
    """Return the body of each instance that the entries of a table cover."""
    written: dict[tuple[str, str | None], Values] = {}
    for name, body in table.items():
        address, _, keys = name.removesuffix("]").partition("[")
        for key in keys.split(", ") if keys else [None]:
            written[(address, key)] = body
    return written


def _has(table: Mapping[tuple[str, str | None], Values], item: Instance) -> bool:
    body = table.get((item.address, item.key))
    return body is not None and _exists(body, item.plan)


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, list) and isinstance(second, list):
        return first + second
    return f"{first},{second}" if _is_names(first) and _is_names(second) else second


def _moved_to_the_end(value: Any, last: Any) -> Any:
    if isinstance(value, list) and isinstance(last, list):
        return [item for item in value if item not in last] + [i for i in last if i in value]
    if _is_names(value) and _is_names(last):
        return ",".join(_moved_to_the_end(value.split(","), last.split(",")))
    return value


def _exists(body: Values, plan: str) -> bool:
    return "exists" not in body or plan in body["exists"].split(", ")


def _expected(body: Values, item: Instance) -> Values:
    expected: Values = {}
    for path, value in body.items():
        if path == "exists":
            continue
        if isinstance(value, dict):
            for names, one in value.items():
                if item.plan in names.split(", "):
                    expected[path] = one
        else:
            expected[path] = value
    # In the file of a service with a common word for its name, values may have that word too.
    word = None if item.key == "{env}" else item.key
    return {path: replaced(value, word, "{key}") for path, value in expected.items()}


def _change(old: Any, new: Any) -> str:
    if isinstance(old, list) and isinstance(new, list):
        added = [item for item in new if item not in old]
        removed = [item for item in old if item not in new]
        parts = [f"added {json.dumps(added)}"] if added else []
        parts += [f"removed {json.dumps(removed)}"] if removed else []
        return "; ".join(parts) or "in another order"
    if old is None:
        return f"added {json.dumps(new)}"
    if new is None:
        return f"removed {json.dumps(old)}"
    return f"{json.dumps(old)} became {json.dumps(new)}"


def without(found: Iterable[Instance], tables: Sequence[Mapping[str, Values]]) -> list[Instance]:
    """Return the instances without all values that tables have for them."""
    written = [_by_instance(table) for table in tables]
    left = []
    for item in found:
        values: Values = dict(item.values)
        bodies = [table[(item.address, item.key)] for table in written if _has(table, item)]
        for body in bodies:
            for path, value in _expected(body, item).items():
                if path in values:
                    values[path] = _less(values[path], value)
        kept = {path: value for path, value in values.items() if value is not None}
        if kept or not bodies:
            left.append(replace(item, values=kept))
    return left


def _less(value: Any, taken: Any) -> Any:
    """Return the elements of a list that another one does not have, and None if none is left."""
    if isinstance(value, list) and isinstance(taken, list):
        return [item for item in value if item not in taken] or None
    if _is_names(value) and _is_names(taken):
        names = taken.split(",")
        return ",".join(name for name in value.split(",") if name not in names) or None
    return None if value == taken else value


def _is_names(value: Any) -> bool:
    return isinstance(value, str) and _NAMES.fullmatch(value) is not None
