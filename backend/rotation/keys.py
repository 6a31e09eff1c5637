"""The API Gateway keys of one key name: find, create, attach and retire them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

_MANAGED_BY = "rotation"


@dataclass(frozen=True)
class ApiKey:
    """One key. Its value is not in its `repr`, so it cannot get into logs and tracebacks."""

    id: str
    name: str
    value: str = field(repr=False)
    enabled: bool
    made_by_rotation: bool


class GatewayKeys:
    """The keys of one key name, such as `api`, in API Gateway.

    They are found by their ids, which the usage plan lists. Listing all keys of the account would
    need a permission that IAM cannot restrict to one environment's keys.

    Args:
        client: The API Gateway client.
        project: First part of each key's name.
        environment: Second part of each key's name.
        name: The key name, third part.
        usage_plan_id: The usage plan of this key name, which contains no other keys.
        terraform_key_id: The key that Terraform created for this name, which is never deleted.
    """

    def __init__(
        self,
        client: "APIGatewayClient",
        *,
        project: str,
        environment: str,
        name: str,
        usage_plan_id: str,
        terraform_key_id: str | None = None,
    ) -> None:
        self._client = client
        self._plan = usage_plan_id
        self._prefix = f"{project}-{environment}-{name}"
        self._tags = {
            "Project": project,
            "Environment": environment,
            "Service": name,
            "ManagedBy": _MANAGED_BY,
        }
        self._terraform_key_id = terraform_key_id

    def of_version(self, version: str) -> ApiKey | None:
        """Return the key created for a version of the secret, or None."""
        name = self._name_of(version)
        # Two concurrent attempts may have created two keys: both attempts then use the same one.
        return min((key for key in self.all() if key.name == name), key=_id, default=None)

    def with_value(self, value: str) -> ApiKey | None:
        """Return the key that has a value, or None."""
        return next((key for key in self._scan() if key.value == value), None)

    def all(self) -> list[ApiKey]:
        """Return every key of this key name that Terraform or a rotation created."""
        return list(self._scan())

    def create(self, version: str) -> ApiKey:
        """Create the key for a version of the secret and add it to the usage plan.

        API Gateway generates its value. If the second call fails, a key without a usage plan is
        left, which opens nothing; the next attempt creates another one.
        """
        made = self._client.create_api_key(
            name=self._name_of(version),
            description=f"Made by rotation for version {version} of the secret.",
            enabled=True,
            tags=self._tags,
        )
        # A repeated call, after an answer that was lost, finds the key in the plan already.
        with suppress(self._client.exceptions.ConflictException):
            self._client.create_usage_plan_key(
                usagePlanId=self._plan, keyId=made["id"], keyType="API_KEY"
            )
        return self._read(made)

    def retire(self, key: ApiKey) -> str:
        """Delete or disable a key; return `deleted`, `disabled` or `left alone`.

        The key that Terraform created is only disabled: Terraform would create a deleted key again
        and store it in the secret.
        """
        if key.id != self._terraform_key_id and key.made_by_rotation:
            # NotFound: an earlier attempt of this step has deleted it.
            with suppress(self._client.exceptions.NotFoundException):
                self._client.delete_api_key(apiKey=key.id)
            return "deleted"
        if key.id == self._terraform_key_id and key.enabled:
            self._client.update_api_key(
                apiKey=key.id,
                patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}],
            )
            return "disabled"
        return "left alone"

    def _name_of(self, version: str) -> str:
        return f"{self._prefix}-{version[:8]}"

    def _scan(self) -> Iterator[ApiKey]:
        pages = self._client.get_paginator("get_usage_plan_keys").paginate(
            usagePlanId=self._plan, PaginationConfig={"PageSize": 500}
        )
        for page in pages:
            for listed in page.get("items", []):
                # NotFound: the key was deleted after it was listed.
                with suppress(self._client.exceptions.NotFoundException):
                    item = self._client.get_api_key(apiKey=listed["id"], includeValue=True)
                    key = self._read(item)
                    if key.made_by_rotation or key.id == self._terraform_key_id:
                        yield key

    @staticmethod
    def _read(item: Any) -> ApiKey:
        return ApiKey(
            id=item["id"],
            name=item.get("name", ""),
            value=item.get("value", ""),
            enabled=item.get("enabled", False),
            made_by_rotation=item.get("tags", {}).get("ManagedBy") == _MANAGED_BY,
        )


def _id(key: ApiKey) -> str:
    return key.id
