"""Summarises a Terraform plan without its values, and finds changes that would lose data."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deploy.taken_away import changes_code, taken_away

# Resources whose loss clients notice or nobody can undo, with the reason.
_PROTECTED: Final = {
    "aws_api_gateway_domain_name": "clients call it, and its DNS record names it",
    "aws_api_gateway_rest_api": "its id is part of the URL that clients call",
    "aws_api_gateway_usage_plan": "its API keys stop working without it",
    "aws_apprunner_service": "requests fail while there is none",
    "aws_cloudformation_stack": "it contains the vectors of S3 Vectors",
    "aws_cloudwatch_log_group": "it contains logs",
    "aws_dynamodb_table": "it contains conversations, or the keys of records",
    "aws_lambda_function": "its versions serve requests, and a rollback needs them",
    "aws_s3_bucket": "it contains documents",
    "aws_secretsmanager_secret": "callers use the API key in it",
}

# An instance's key may be a value, such as an e-mail address.
_SHOWN_KEY: Final = re.compile(r"\[(?:\d+|\"[\w./-]+\")\]")
_KEY: Final = re.compile(r"\[[^]]*\]")

_MAX_ROWS: Final = 200  # GitHub accepts 65,536 characters in a comment

_VERBS: Final = {
    ("create",): "create",
    ("update",): "change",
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
}


@dataclass(frozen=True)
class Change:
    """What a plan does to one resource.

    Attributes:
        address: Address of the resource.
        kind: Type of the resource.
        verb: create, change, destroy, replace or forget.
        forced_by: Attributes that force a replacement.
        attributes: Attributes of a resource that would change; empty for the other verbs.
    """

    address: str
    kind: str
    verb: str
    forced_by: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanSummary:
    """The changes of a plan, sorted by address.

    Attributes:
        changes: The changes.
        taken_away: A line for each route or right that the plan takes away.
        changes_code: Addresses of the functions that get another package.
    """

    changes: tuple[Change, ...]
    taken_away: tuple[str, ...] = ()
    changes_code: tuple[str, ...] = ()

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> "PlanSummary":
        """Summarise the output of `terraform show -json`, format 1, without reads and no-ops."""
        changes = []
        for item in plan.get("resource_changes", []):
            actions = tuple(item["change"]["actions"])
            if actions in (("no-op",), ("read",)):
                continue
            verb = _VERBS.get(actions, "+".join(actions))
            paths = item["change"].get("replace_paths", [])
            changes.append(
                Change(
                    address=item["address"],
                    kind=item["type"],
                    verb=verb,
                    forced_by=tuple(dict.fromkeys(str(path[0]) for path in paths)),
                    attributes=_changed(item["change"]) if verb in ("change", "replace") else (),
                )
            )
        return cls(
            tuple(sorted(changes, key=lambda change: change.address)),
            tuple(taken_away(plan)),
            tuple(changes_code(plan)),
        )

    def forbidden(self, allowed: Iterable[str]) -> list[str]:
        """Return a line for each protected resource that would be destroyed, replaced or forgotten.

        Args:
            allowed: Addresses of resources that may be replaced or destroyed.
        """
        named = set(allowed)
        return [
            f"{change.address}: the plan would {change.verb} it"
            + (f", forced by {', '.join(change.forced_by)}" if change.forced_by else "")
            + f"; {_PROTECTED[change.kind]}"
            for change in self.changes
            if change.kind in _PROTECTED
            and change.verb not in ("create", "change")
            and change.address not in named
        ]

    def unused(self, allowed: Iterable[str]) -> list[str]:
        """Return the allowed addresses that the plan does not change."""
        return sorted(set(allowed) - {change.address for change in self.changes})

    def markdown(self, title: str) -> str:
        """Return addresses, verbs and names of attributes as Markdown.

        It contains no values, which may be secret, and of an instance's key only plain names.
        """
        if not self.changes:
            return f"### {title}: nothing changes"
        counts = Counter(change.verb for change in self.changes)
        total = ", ".join(f"{count} to {verb}" for verb, count in sorted(counts.items()))
        rows = [
            f"| {change.verb} | `{_shown(change.address)}` | {', '.join(change.attributes)} "
            f"| {', '.join(change.forced_by)} |"
            for change in self.changes[:_MAX_ROWS]
        ]
        if more := len(self.changes) - len(rows):
            rows.append(f"| | and {more} more | | |")
        head = ["| | resource | attributes | forced by |", "|---|---|---|---|"]
        return "\n".join([f"### {title}: {total}", "", *head, *rows])


def _changed(change: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the top-level attributes that a change sets to another value."""
    before, after = change.get("before") or {}, change.get("after") or {}
    unknown = change.get("after_unknown") or {}
    names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return tuple(sorted(names | {name for name, is_unknown in unknown.items() if is_unknown}))


def _shown(address: str) -> str:
    return _KEY.sub(lambda match: match[0] if _SHOWN_KEY.fullmatch(match[0]) else '["…"]', address)
