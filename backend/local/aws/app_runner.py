"""A local implementation of App Runner's API, which moto lacks: services and configurations."""

import uuid

from local.aws.json_api import CREATED_AT, Item, JsonApi, Operation, RefusedOperationError
from local.aws.wsgi import Environ
from local.blueprint import ACCOUNT_ID, REGION

_ARN = f"arn:aws:apprunner:{REGION}:{ACCOUNT_ID}"
# Kind of configuration, and its resource type in an ARN.
_CONFIGURATIONS = {
    "AutoScalingConfiguration": "autoscalingconfiguration",
    "ObservabilityConfiguration": "observabilityconfiguration",
    "VpcConnector": "vpcconnector",
}


class AppRunner(JsonApi):
    """Stores descriptions and runs nothing: a service is RUNNING as soon as it is created."""

    def __init__(self) -> None:
        super().__init__()
        self._tags: dict[str, list[Item]] = {}
        self.services: dict[str, Item] = {}
        self.configurations: dict[str, Item] = {}

    def operation_name(self, environ: Environ) -> str | None:
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        return target.removeprefix("AppRunner.") if target.startswith("AppRunner.") else None

    def operation(self, name: str) -> Operation | None:
        for kind in _CONFIGURATIONS:
            if name == f"Create{kind}":
                return lambda body: self._create_configuration(kind, body)
            if name == f"Describe{kind}":
                return lambda body: {kind: self._configuration(kind, body)}
            if name == f"Delete{kind}":
                return lambda body: self._delete_configuration(kind, body)
        return {
            "CreateService": self._create_service,
            "DescribeService": lambda body: {"Service": _find(self.services, body["ServiceArn"])},
            "UpdateService": self._update_service,
            "DeleteService": self._delete_service,
            "ListServices": self._list_services,
            "ListOperations": lambda _: {"OperationSummaryList": []},
            "ListTagsForResource": lambda body: {"Tags": self._tags.get(body["ResourceArn"], [])},
        }.get(name)

    def _create_configuration(self, kind: str, body: Item) -> Item:
        name = body.get(f"{kind}Name") or body["VpcConnectorName"]
        arn = f"{_ARN}:{_CONFIGURATIONS[kind]}/{name}/1/{uuid.uuid4().hex}"
        self._tags[arn] = body.pop("Tags", [])
        self.configurations[arn] = {
            **body,
            f"{kind}Arn": arn,
            f"{kind}Revision": 1,
            "Latest": True,
            "Status": _status(kind, "ACTIVE"),
            "CreatedAt": CREATED_AT,
        }
        return {kind: self.configurations[arn]}

    def _configuration(self, kind: str, body: Item) -> Item:
        return _find(self.configurations, body[f"{kind}Arn"])

    def _delete_configuration(self, kind: str, body: Item) -> Item:
        found = self._configuration(kind, body)
        found["Status"] = _status(kind, "INACTIVE")
        return {kind: found}

    def _create_service(self, body: Item) -> Item:
        identity = uuid.uuid4().hex
        arn = f"{_ARN}:service/{body['ServiceName']}/{identity}"
        self._tags[arn] = body.pop("Tags", [])
        self.services[arn] = {
            "ServiceArn": arn,
            "ServiceId": identity,
            "ServiceUrl": f"{identity[:10]}.{REGION}.awsapprunner.com",
            "CreatedAt": CREATED_AT,
            "Status": "RUNNING",
        }
        return self._update_service({"ServiceArn": arn, **body})

    def _update_service(self, body: Item) -> Item:
        service = _find(self.services, body["ServiceArn"])
        service |= body | {"UpdatedAt": CREATED_AT}
        if scaling := service.pop("AutoScalingConfigurationArn", None):
            service["AutoScalingConfigurationSummary"] = {"AutoScalingConfigurationArn": scaling}
        service.setdefault("NetworkConfiguration", {}).setdefault("IpAddressType", "IPV4")
        return {"Service": service, "OperationId": str(uuid.uuid4())}

    def _delete_service(self, body: Item) -> Item:
        service = _find(self.services, body["ServiceArn"])
        service["Status"] = "DELETED"
        return {"Service": service, "OperationId": str(uuid.uuid4())}

    def _list_services(self, _: Item) -> Item:
        shown = ("ServiceName", "ServiceId", "ServiceArn", "ServiceUrl", "Status", "CreatedAt")
        return {
            "ServiceSummaryList": [
                {name: service[name] for name in shown}
                for service in self.services.values()
                if service["Status"] != "DELETED"
            ]
        }


def _find(items: dict[str, Item], arn: str) -> Item:
    if arn not in items:
        raise RefusedOperationError("ResourceNotFoundException", f"{arn} does not exist")
    return items[arn]


def _status(kind: str, status: str) -> str:
    # App Runner writes the status in lower case for auto scaling, in upper case for the rest.
    return status.lower() if kind == "AutoScalingConfiguration" else status
