"""Runs the part of CloudWatch Logs Insights' query language that docs/logs.md uses, in memory.

Fields are JSON members; `a.0.b` reads from nested lists and objects; a missing field is null.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

Line = dict[str, Any]
Row = dict[str, Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">=": lambda left, right: left is not None and left >= right,
    "<=": lambda left, right: left is not None and left <= right,
    ">": lambda left, right: left is not None and left > right,
    "<": lambda left, right: left is not None and left < right,
    "in": lambda left, right: left in right,
}
_CONDITION = re.compile(r"^(\S+) (=|!=|>=|<=|>|<|in) (.+)$")
_AGGREGATE = re.compile(r"^(\w+)\(([^)]*)\) as (\w+)$")


def run(query: str, lines: list[Line]) -> list[Row]:
    """The rows that a query returns; ValueError for syntax that is not supported."""
    rows: list[Row] = lines
    commands: dict[str, Callable[[str, list[Row]], list[Row]]] = {
        "filter": _filter,
        "fields": _fields,
        "sort": _sort,
        "limit": lambda count, found: found[: int(count)],
        "stats": _stats,
    }
    for step in re.split(r"\n\| |\s\| ", query.strip()):
        command, _, rest = step.strip().partition(" ")
        if command not in commands:
            raise ValueError(f"not a command: {command}")
        rows = commands[command](rest, rows)
    return rows


def value(line: Line, field: str) -> Any:
    """The value of a field in a line; None if it is missing."""
    if field == "@timestamp":
        return line.get("timestamp")
    found: Any = line
    for part in [field] if field in line else field.split("."):
        if isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        elif isinstance(found, dict) and part in found:
            found = found[part]
        else:
            return None
    return found


def _filter(rest: str, rows: list[Row]) -> list[Row]:
    conditions = []
    for text in rest.split(" and "):
        match = _CONDITION.match(text.strip())
        if match is None:
            raise ValueError(f"not a condition: {text}")
        conditions.append((match[1], _COMPARE[match[2]], json.loads(match[3])))
    return [
        row
        for row in rows
        if all(compare(value(row, field), wanted) for field, compare, wanted in conditions)
    ]


def _fields(rest: str, rows: list[Row]) -> list[Row]:
    names = [name.strip() for name in rest.split(",")]
    # Keeps all other fields, by which a later step may sort.
    return [row | {name: value(row, name) for name in names} for row in rows]


def _sort(rest: str, rows: list[Row]) -> list[Row]:
    field, _, order = rest.partition(" ")
    known = [row for row in rows if value(row, field) is not None]
    return sorted(known, key=lambda row: value(row, field), reverse=order == "desc")


def _stats(rest: str, rows: list[Row]) -> list[Row]:
    aggregates, _, by = rest.partition(" by ")
    names = [name.strip() for name in by.split(",") if not name.strip().startswith("bin(")]
    groups: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(value(row, name) for name in names)].append(row)
    made = []
    for key, members in groups.items():
        made.append(dict(zip(names, key, strict=True)))
        for text in re.split(r", (?=\w+\()", aggregates):
            match = _AGGREGATE.match(text.strip())
            if match is None:
                raise ValueError(f"not an aggregate: {text}")
            made[-1][match[3]] = _aggregate(match[1], match[2], members)
    return made


def _aggregate(function: str, arguments: str, rows: list[Row]) -> float:
    field, _, share = (part.strip() for part in arguments.partition(","))
    if function == "count":
        return len(rows)
    found = sorted(value(row, field) for row in rows if value(row, field) is not None)
    if function == "pct":
        return float(found[max(0, math.ceil(len(found) * float(share) / 100) - 1)])
    of_all: dict[str, Callable[[list[Any]], Any]] = {"sum": sum, "max": max, "min": min}
    return float(of_all[function](found or [0]))
