"""Evaluates a lifecycle policy as ECR does, which no emulator does.

Rules: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Image:
    """An image: its tags, and when it was pushed in epoch seconds."""

    tags: Sequence[str]
    pushed: float


def expired(policy: Mapping[str, Any], images: Sequence[Image], now: float) -> list[Image]:
    """Return the images that a policy deletes, the oldest first.

    A rule counts every image that it selects. It expires none whose tags a rule of higher priority
    selects.
    """
    gone: list[Image] = []
    claimed: list[Image] = []
    for rule in sorted(policy["rules"], key=lambda each: each["rulePriority"]):
        selection = rule["selection"]
        selected = sorted(
            (image for image in images if _selects(selection, image)),
            key=lambda image: image.pushed,
        )
        gone += [image for image in _expires(selection, selected, now) if image not in claimed]
        claimed += selected
    return sorted(gone, key=lambda image: image.pushed)


def _selects(selection: Mapping[str, Any], image: Image) -> bool:
    match selection["tagStatus"]:
        case "any":
            return True
        case "untagged":
            return not image.tags
        case "tagged":
            # All prefixes have to match, each of them any tag of the image.
            return all(
                any(tag.startswith(prefix) for tag in image.tags)
                for prefix in selection["tagPrefixList"]
            )
    raise ValueError(f"ECR has no tagStatus {selection['tagStatus']!r}")


def _expires(selection: Mapping[str, Any], oldest_first: list[Image], now: float) -> list[Image]:
    number = selection["countNumber"]
    if selection["countType"] == "imageCountMoreThan":
        return oldest_first[: max(0, len(oldest_first) - number)]
    if (selection["countType"], selection["countUnit"]) == ("sinceImagePushed", "days"):
        return [image for image in oldest_first if now - image.pushed > number * _DAY_SECONDS]
    raise ValueError(f"not evaluated here: {selection}")
