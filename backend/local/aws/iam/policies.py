"""Evaluates policies as IAM does: a deny overrides; otherwise one statement has to allow."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.aws.iam.checks import Check
from local.aws.iam.conditions import as_list, like, met, refuse_unknown

type Statement = Mapping[str, Any]

_ELEMENTS: Final = {"Sid", "Effect", "Action", "Resource", "NotResource", "Condition"}


@dataclass(frozen=True)
class Grant:
    """One action that a statement of a policy grants."""

    policy: str
    sid: str
    action: str


class Policies:
    """The policies of one role, by name, and its permissions boundary if it has one.

    Raises:
        ValueError: A statement has an element, operator or variable that is not evaluated here.
    """

    def __init__(self, documents: Mapping[str, str], boundary: str | None = None) -> None:
        self._statements = [
            (name, statement)
            for name, document in documents.items()
            for statement in json.loads(document)["Statement"]
        ]
        for _, statement in self._statements:
            _refuse_unknown_elements(statement)
        self._boundary = None if boundary is None else Policies({"boundary": boundary})

    def grants(self) -> Iterator[Grant]:
        for name, statement in self._statements:
            if statement["Effect"] == "Allow":
                for action in as_list(statement["Action"]):
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
                        for action in as_list(statement["Action"])
                        if _acts_on(check.action, action)
                    }
        return used


def _matches(statement: Statement, check: Check) -> bool:
    if not any(_acts_on(check.action, action) for action in as_list(statement["Action"])):
        return False
    if "NotResource" in statement:
        matches = not any(like(check.resource, r) for r in as_list(statement["NotResource"]))
    else:
        matches = any(like(check.resource, r) for r in as_list(statement["Resource"]))
    return matches and met(statement.get("Condition", {}), check.context)


def _acts_on(action: str, pattern: str) -> bool:
    return like(action.lower(), pattern.lower())


def _refuse_unknown_elements(statement: Statement) -> None:
    if unknown := statement.keys() - _ELEMENTS:
        raise ValueError(f"the elements {sorted(unknown)} of a statement are not evaluated here")
    refuse_unknown(statement.get("Condition", {}))
