"""A saved plan in a few lines, without a single value, and what in it must not happen unasked."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# What cannot be had back once it is gone: documents, keys of clients, the URL that they call.
_KEPT: Final = {
    "aws_api_gateway_rest_api": "its id is part of the URL that clients call",
    "aws_cloudformation_stack": "it holds the vectors of S3 Vectors",
    "aws_s3_bucket": "it holds documents",
    "aws_secretsmanager_secret": "callers hold what is in it",
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
        address: As Terraform writes it.
        kind: The resource's type.
        verb: create, change, destroy, replace or forget.
        because: The attributes that force a replacement.
    """

    address: str
    kind: str
    verb: str
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanSummary:
    """What a plan does."""

    changes: tuple[Change, ...]

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> "PlanSummary":
        """Read `terraform show -json`, format 1; a read or a no-op is no change."""
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
                    because=tuple(".".join(map(str, path)) for path in paths),
                )
            )
        return cls(tuple(sorted(changes, key=lambda change: change.address)))

    def forbidden(self, allowed: Iterable[str]) -> list[str]:
        """Return a line for each change that destroys what cannot be had back.

        Args:
            allowed: Addresses whose replacement or destruction somebody asked for by name.
        """
        named = set(allowed)
        return [
            f"{change.address}: the plan would {change.verb} it"
            + (f", forced by {', '.join(change.because)}" if change.because else "")
            + f"; {_KEPT[change.kind]}"
            for change in self.changes
            if change.kind in _KEPT
            and change.verb not in ("create", "change")
            and change.address not in named
        ]

    def unknown(self, allowed: Iterable[str]) -> list[str]:
        """Return what was allowed by name and is not in the plan: a slip, or an old permission."""
        return sorted(set(allowed) - {change.address for change in self.changes})

    def markdown(self, title: str) -> str:
        """Return addresses and verbs; values stay away from a page that many can read."""
        if not self.changes:
            return f"### {title}: nothing changes"
        counts = Counter(change.verb for change in self.changes)
        total = ", ".join(f"{count} to {verb}" for verb, count in sorted(counts.items()))
        rows = [
            f"| {change.verb} | `{change.address}` | {', '.join(change.because)} |"
            for change in self.changes
        ]
        head = ["| | resource | forced by |", "|---|---|---|"]
        return "\n".join([f"### {title}: {total}", "", *head, *rows])
