"""The SSM parameter with the ids of all keys, by which services know the name of a key."""

import json
from collections.abc import Set
from typing import TYPE_CHECKING, Any

from rotation.settings import Settings
from shared.logging import get_logger

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

_log = get_logger("rotation")


class KeyIds:
    """Keeps the parameter `{name: [ids]}` equal to the keys in the usage plans.

    Rotations of several keys may write at the same time, and SSM has no conditional write. So each
    write contains all keys as the usage plans have them, not only the change; the next step of any
    rotation, or the hourly task, repairs what a slower writer overwrote.
    """

    def __init__(self, settings: Settings, *, ssm: Any, gateway: "APIGatewayClient") -> None:
        self._settings = settings
        self._ssm = ssm
        self._gateway = gateway

    def store(self, *, without: Set[str] = frozenset()) -> None:
        """Write the ids of all keys, unless the parameter has them already.

        Args:
            without: Keys that were just deleted, which a usage plan may still list.
        """
        name = self._settings.api_key_ids_parameter
        ids = {
            key: [one for one in self._ids(key) if one not in without]
            for key in sorted(self._settings.usage_plan_ids)
        }
        stored = self._ssm.get_parameter(Name=name)["Parameter"]["Value"]
        if _parsed(stored) == ids:
            return
        self._ssm.put_parameter(
            Name=name, Value=json.dumps(ids, separators=(",", ":")), Type="String", Overwrite=True
        )
        _log.info("rotation_key_ids_stored", keys={key: len(each) for key, each in ids.items()})

    def _ids(self, key_name: str) -> list[str]:
        """Return the ids of a key name: Terraform's first, as Terraform writes them."""
        pages = self._gateway.get_paginator("get_usage_plan_keys").paginate(
            usagePlanId=self._settings.usage_plan_ids[key_name]
        )
        found = {item["id"] for page in pages for item in page.get("items", [])}
        first = self._settings.terraform_api_key_ids.get(key_name)
        return sorted(found | {first} if first else found, key=lambda one: (one != first, one))


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None
