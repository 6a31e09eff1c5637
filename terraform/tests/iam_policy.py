"""Evaluates policies as IAM does: a deny overrides; otherwise one statement has to allow."""

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.recording import Check

type Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Grant:
    """One action that a statement of a policy grants."""

    policy: str
    sid: str
    action: str


class Policies:
    """The policies of one role, by name, and its permissions boundary if it has one."""

    def __init__(self, documents: Mapping[str, str], boundary: str | None = None) -> None:
        self._statements = [
            (name, statement)
            for name, document in documents.items()
            for statement in json.loads(document)["Statement"]
        ]
        self._boundary = None if boundary is None else Policies({"boundary": boundary})

    def grants(self) -> Iterator[Grant]:
        for name, statement in self._statements:
            if statement["Effect"] == "Allow":
                for action in _list(statement["Action"]):
                    yield Grant(name, statement.get("Sid", ""), action)

    def allows(self, check: Check) -> bool:
        """Return whether the policies and the boundary allow an action."""
        if self._boundary is not None and not self._boundary.allows(check):
            return False
        matching = [s for _, s in self._statements if _matches(s, check)]
        if any(s["Effect"] == "Deny" for s in matching):
            return False
        return bool(matching)

    def used(self, checks: Iterable[Check]) -> set[Grant]:
        """Return the grants that at least one of the checks needs."""
        used = set()
        for check in checks:
            for name, statement in self._statements:
                if statement["Effect"] == "Allow" and _matches(statement, check):
                    used |= {
                        Grant(name, statement.get("Sid", ""), action)
                        for action in _list(statement["Action"])
                        if _like(check.action, action, fold=True)
                    }
        return used


def _matches(statement: Statement, check: Check) -> bool:
    if not any(_like(check.action, action, fold=True) for action in _list(statement["Action"])):
        return False
    if "NotResource" in statement:
        matches = not any(_like(check.resource, r) for r in _list(statement["NotResource"]))
    else:
        matches = any(_like(check.resource, r) for r in _list(statement["Resource"]))
    return matches and _conditions_met(statement.get("Condition", {}), check.context)


def _conditions_met(
    conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]
) -> bool:
    for operator, expected in conditions.items():
        for key, values in expected.items():
            if key not in context:
                return False
            value = context[key]
            match operator:
                case "StringEquals":
                    met = value in _list(values)
                case "StringLike" | "ArnLike":
                    met = any(_like(value, pattern) for pattern in _list(values))
                case _:
                    raise ValueError(f"the condition {operator} is not evaluated here")
            if not met:
                return False
    return True


def _like(value: str, pattern: str, *, fold: bool = False) -> bool:
    if fold:
        value, pattern = value.lower(), pattern.lower()
    # `[` is an ordinary character in a policy, but a special one in fnmatch.
    return re.fullmatch(fnmatch.translate(pattern.replace("[", "[[]")), value) is not None


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
