"""A local implementation of CloudWatch Logs' data protection policies, which moto lacks."""

from local.aws.json_api import CREATED_AT, Item, JsonApi, Operation, RefusedOperationError
from local.aws.wsgi import Environ


class LogProtection(JsonApi):
    """Stores the policies but masks nothing. The log groups themselves are in moto."""

    def __init__(self) -> None:
        super().__init__()
        self.policies: dict[str, str] = {}

    def operation_name(self, environ: Environ) -> str | None:
        service, _, name = str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")
        return name if service.startswith("Logs_") and "DataProtectionPolicy" in name else None

    def operation(self, name: str) -> Operation | None:
        return {
            "PutDataProtectionPolicy": self._put,
            "GetDataProtectionPolicy": self._get,
            "DeleteDataProtectionPolicy": self._delete,
        }.get(name)

    def _put(self, body: Item) -> Item:
        self.policies[body["logGroupIdentifier"]] = body["policyDocument"]
        return self._get(body)

    def _get(self, body: Item) -> Item:
        group = body["logGroupIdentifier"]
        if group not in self.policies:
            raise RefusedOperationError("ResourceNotFoundException", f"{group} has no policy")
        return {
            "logGroupIdentifier": group,
            "policyDocument": self.policies[group],
            "lastUpdatedTime": CREATED_AT * 1000,
        }

    def _delete(self, body: Item) -> Item:
        self.policies.pop(body["logGroupIdentifier"], None)
        return {}
