"""Summarises a Terraform plan without its values, and finds changes that would lose data."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# Resources that cannot be restored once they are destroyed, with the reason.
_PROTECTED: Final = {
    "aws_api_gateway_rest_api": "its id is part of the URL that clients call",
    "aws_cloudformation_stack": "it contains the vectors of S3 Vectors",
    "aws_s3_bucket": "it contains documents",
    "aws_secretsmanager_secret": "callers use the API key in it",
}

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
    """

    address: str
    kind: str
    verb: str
    forced_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanSummary:
    """The changes of a plan, sorted by address."""

    changes: tuple[Change, ...]

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> "PlanSummary":
        """Summarise the output of `terraform show -json`, format 1, without reads and no-ops."""
        changes = []
        for item in plan.get("resource_changes", []):
            actions = tuple(item["change"]["actions"])
            if actions in (("no-op",), ("read",)):
                continue
            paths = item["change"].get("replace_paths", [])
            changes.append(
                Change(
                    address=item["address"],
                    kind=item["type"],
                    verb=_VERBS.get(actions, "+".join(actions)),
                    forced_by=tuple(".".join(map(str, path)) for path in paths),
                )
            )
        return cls(tuple(sorted(changes, key=lambda change: change.address)))

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
        """Return addresses and verbs as Markdown, without values, which may be secret."""
        if not self.changes:
            return f"### {title}: nothing changes"
        counts = Counter(change.verb for change in self.changes)
        total = ", ".join(f"{count} to {verb}" for verb, count in sorted(counts.items()))
        rows = [
            f"| {change.verb} | `{change.address}` | {', '.join(change.forced_by)} |"
            for change in self.changes
        ]
        head = ["| | resource | forced by |", "|---|---|---|"]
        return "\n".join([f"### {title}: {total}", "", *head, *rows])
