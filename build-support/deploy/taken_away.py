"""Finds in a plan what a version that still serves may need: statements of policies, and routes.

Terraform changes them before the traffic moves, so a release that takes one away would break the
version that serves. Therefore the code that no longer needs it is released first.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_ROUTES: Final = {
    "aws_api_gateway_integration": "route",
    "aws_api_gateway_method": "route",
    "aws_api_gateway_resource": "route",
}
_GRANTS: Final = {
    "aws_iam_policy": "policy",
    "aws_iam_role_policy": "policy",
    "aws_iam_role_policy_attachment": "attachment of a policy",
    "aws_lambda_permission": "permission",
}


def taken_away(plan: Mapping[str, Any]) -> list[str]:
    """Return a line for each route or right that a plan takes away, sorted.

    A policy that Terraform knows only while it applies cannot be compared, and is left out.

    Args:
        plan: The output of `terraform show -json`.
    """
    return sorted(line for item in plan.get("resource_changes", []) for line in _of_resource(item))


def changes_code(plan: Mapping[str, Any]) -> list[str]:
    """Return the addresses of the functions that a plan gives another package, sorted."""
    return sorted(
        item["address"]
        for item in plan.get("resource_changes", [])
        if item["type"] == "aws_lambda_function"
        and item["change"]["actions"] == ["update"]
        and item["change"]["before"].get("source_code_hash")
        != item["change"]["after"].get("source_code_hash")
    )


def _of_resource(item: Mapping[str, Any]) -> Iterator[str]:
    address, kind, change = item["address"], item["type"], item["change"]
    what = {**_ROUTES, **_GRANTS}.get(kind)
    if what is None:
        return
    if change["actions"] == ["delete"]:
        yield f"{address}: the {what} is taken away"
    elif change["actions"] == ["update"] and isinstance(change["after"].get("policy"), str):
        for right in sorted(_lost(change["before"]["policy"], change["after"]["policy"])):
            yield f"{address}: {right}"


def _lost(before: str, after: str) -> set[str]:
    """Return what the second policy no longer allows, or newly denies."""
    old, new = _rights(before), _rights(after)
    allowed = {right[1:] for right in old - new if right[0] == "Allow"}
    denied = {right[1:] for right in new - old if right[0] == "Deny"}
    return {
        *(f"{action} on {resource} is taken away" for action, resource, _ in allowed),
        *(f"{action} on {resource} is denied" for action, resource, _ in denied),
    }


def _rights(policy: str) -> set[tuple[str, str, str, str]]:
    """Return effect, action, resource and condition of each single right of a policy."""
    return {
        (
            statement["Effect"],
            action,
            resource,
            json.dumps(statement.get("Condition"), sort_keys=True),
        )
        for statement in _list(json.loads(policy)["Statement"])
        for action in _named(statement, "Action")
        for resource in _named(statement, "Resource")
    }


def _named(statement: Mapping[str, Any], key: str) -> list[str]:
    """Return the actions or resources; those of `NotAction` and `NotResource` with a `!`."""
    if key in statement:
        return _list(statement[key])
    return [f"!{value}" for value in _list(statement[f"Not{key}"])]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
