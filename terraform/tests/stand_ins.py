"""APIs of AWS that moto lacks, as far as Terraform's provider calls them: App Runner, X-Ray
sampling rules, data protection of logs, and lifecycles of buckets.

Each is honest about what it is: it keeps what it was given and gives it back, and an operation that
it does not know is an error, not an empty answer.
"""

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tests.moto_repairs import ACCOUNT_ID, repair_moto

type Environ = dict[str, Any]
type StartResponse = Callable[..., Any]
type Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]
type Item = dict[str, Any]
type Operation = Callable[[Item], Item]

_NOW: Final = 1_760_000_000


class NotThere(Exception):
    """What was asked for does not exist; `code` is the error that this API gives then."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(f"{what} does not exist")
        self.code = code


class _JsonApi:
    """Operations by name, called with the request's JSON body, one at a time."""

    error_code = "InvalidRequestException"

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def operation_name(self, environ: Environ) -> str | None:
        """The operation that the request asks for, or None where it is not this API's."""
        raise NotImplementedError

    def operation(self, name: str) -> Operation | None:
        raise NotImplementedError

    def _answer(self, name: str, body: Item) -> Item:
        operation = self.operation(name)
        if operation is None:
            raise NotThere(self.error_code, f"The operation {name}")
        return operation(body)

    def serves(self, environ: Environ) -> bool:
        return self.operation_name(environ) is not None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        name = self.operation_name(environ) or ""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        status, answer = "200 OK", {}
        try:
            with self._lock:
                answer = self._answer(name, json.loads(body or b"{}"))
        except NotThere as error:
            status = "400 Bad Request"
            answer = {"__type": error.code, "Message": str(error), "message": str(error)}
        content = json.dumps(answer).encode()
        headers = [
            ("Content-Type", "application/x-amz-json-1.0"),
            ("Content-Length", str(len(content))),
            ("x-amzn-RequestId", str(uuid.uuid4())),
        ]
        if status != "200 OK":
            headers.append(("x-amzn-ErrorType", answer["__type"]))
        start_response(status, headers)
        return [content]


class AppRunner(_JsonApi):
    """App Runner's services and their configurations. A service runs as soon as it is made."""

    error_code = "InvalidRequestException"
    _CONFIGURATIONS: Final = {
        "AutoScalingConfiguration": "autoscalingconfiguration",
        "ObservabilityConfiguration": "observabilityconfiguration",
        "VpcConnector": "vpcconnector",
    }

    def __init__(self, region: str) -> None:
        super().__init__()
        self._arn = f"arn:aws:apprunner:{region}:{ACCOUNT_ID}"
        self._region = region
        self._tags: dict[str, list[Item]] = {}
        self.services: dict[str, Item] = {}
        self.configurations: dict[str, Item] = {}

    def operation_name(self, environ: Environ) -> str | None:
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        return target.removeprefix("AppRunner.") if target.startswith("AppRunner.") else None

    def operation(self, name: str) -> Operation | None:
        for kind in self._CONFIGURATIONS:
            if name.removeprefix("Create") == kind:
                return lambda body: self._create_configuration(kind, body)
            if name.removeprefix("Describe") == kind:
                return lambda body: {kind: self._configuration(kind, body)}
            if name.removeprefix("Delete") == kind:
                return lambda body: self._delete_configuration(kind, body)
        return {
            "CreateService": self._create_service,
            "DescribeService": self._describe_service,
            "UpdateService": self._update_service,
            "DeleteService": self._delete_service,
            "ListOperations": lambda _: {"OperationSummaryList": []},
            "ListTagsForResource": lambda body: {"Tags": self._tags.get(body["ResourceArn"], [])},
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }.get(name)

    def _create_configuration(self, kind: str, body: Item) -> Item:
        name = body.get(f"{kind}Name") or body["VpcConnectorName"]
        arn = f"{self._arn}:{self._CONFIGURATIONS[kind]}/{name}/1/{uuid.uuid4().hex}"
        self._tags[arn] = body.pop("Tags", [])
        self.configurations[arn] = {
            **body,
            f"{kind}Arn": arn,
            f"{kind}Revision": 1,
            "Latest": True,
            "Status": self._status(kind, "ACTIVE"),
            "CreatedAt": _NOW,
        }
        return {kind: self.configurations[arn]}

    @staticmethod
    def _status(kind: str, status: str) -> str:
        # App Runner writes this one in small letters.
        return status.lower() if kind == "AutoScalingConfiguration" else status

    def _configuration(self, kind: str, body: Item) -> Item:
        found = self.configurations.get(body[f"{kind}Arn"])
        if found is None:
            raise NotThere("ResourceNotFoundException", body[f"{kind}Arn"])
        return found

    def _delete_configuration(self, kind: str, body: Item) -> Item:
        found = self._configuration(kind, body)
        found["Status"] = self._status(kind, "INACTIVE")
        return {kind: found}

    def _create_service(self, body: Item) -> Item:
        identity = uuid.uuid4().hex
        arn = f"{self._arn}:service/{body['ServiceName']}/{identity}"
        self._tags[arn] = body.pop("Tags", [])
        self.services[arn] = {
            "ServiceArn": arn,
            "ServiceId": identity,
            "ServiceUrl": f"{identity[:10]}.{self._region}.awsapprunner.com",
            "CreatedAt": _NOW,
            "Status": "RUNNING",
        }
        return self._update_service({"ServiceArn": arn, **body})

    def _service(self, body: Item) -> Item:
        found = self.services.get(body["ServiceArn"])
        if found is None or found["Status"] == "DELETED":
            raise NotThere("ResourceNotFoundException", body["ServiceArn"])
        return found

    def _describe_service(self, body: Item) -> Item:
        found = self.services.get(body["ServiceArn"])
        if found is None:
            raise NotThere("ResourceNotFoundException", body["ServiceArn"])
        return {"Service": found}

    def _update_service(self, body: Item) -> Item:
        service = self._service(body)
        service |= body | {"UpdatedAt": _NOW}
        if scaling := service.pop("AutoScalingConfigurationArn", None):
            service["AutoScalingConfigurationSummary"] = {"AutoScalingConfigurationArn": scaling}
        network = service.setdefault("NetworkConfiguration", {})
        network.setdefault("IpAddressType", "IPV4")
        return {"Service": service, "OperationId": str(uuid.uuid4())}

    def _delete_service(self, body: Item) -> Item:
        service = self._service(body)
        service["Status"] = "DELETED"
        return {"Service": service, "OperationId": str(uuid.uuid4())}

    def _tag(self, body: Item) -> Item:
        given = {tag["Key"] for tag in body["Tags"]}
        kept = [tag for tag in self._tags.get(body["ResourceArn"], []) if tag["Key"] not in given]
        self._tags[body["ResourceArn"]] = [*kept, *body["Tags"]]
        return {}

    def _untag(self, body: Item) -> Item:
        tags = self._tags.get(body["ResourceArn"], [])
        self._tags[body["ResourceArn"]] = [t for t in tags if t["Key"] not in body["TagKeys"]]
        return {}

    def leftovers(self) -> list[str]:
        """ARNs of services and configurations that nobody deleted."""
        services = [arn for arn, item in self.services.items() if item["Status"] != "DELETED"]
        made = [
            arn for arn, item in self.configurations.items() if item["Status"].upper() != "INACTIVE"
        ]
        return services + made


class XRaySampling(_JsonApi):
    """X-Ray's sampling rules; its segments and summaries are moto's."""

    _PATHS: Final = {
        "/CreateSamplingRule": "CreateSamplingRule",
        "/GetSamplingRules": "GetSamplingRules",
        "/UpdateSamplingRule": "UpdateSamplingRule",
        "/DeleteSamplingRule": "DeleteSamplingRule",
        "/SamplingTargets": "GetSamplingTargets",
    }
    _SHARED_PATHS: Final = {"/ListTagsForResource", "/TagResource", "/UntagResource"}

    def __init__(self, region: str) -> None:
        super().__init__()
        self._arn = f"arn:aws:xray:{region}:{ACCOUNT_ID}:sampling-rule"
        self._tags: dict[str, list[Item]] = {}
        self.rules: dict[str, Item] = {}

    def operation_name(self, environ: Environ) -> str | None:
        path = environ["PATH_INFO"]
        if path in self._SHARED_PATHS and signed_for(environ) == "xray":
            return str(path).removeprefix("/")
        return self._PATHS.get(path)

    def operation(self, name: str) -> Operation | None:
        return {
            "CreateSamplingRule": self._create,
            "GetSamplingRules": lambda _: {"SamplingRuleRecords": list(self.rules.values())},
            "GetSamplingTargets": lambda _: {"SamplingTargetDocuments": []},
            "UpdateSamplingRule": self._update,
            "DeleteSamplingRule": self._delete,
            "ListTagsForResource": lambda body: {"Tags": self._tags.get(body["ResourceARN"], [])},
            "TagResource": self._tag,
        }.get(name)

    def _create(self, body: Item) -> Item:
        rule = body["SamplingRule"]
        rule["RuleARN"] = f"{self._arn}/{rule['RuleName']}"
        rule.setdefault("Attributes", {})
        self._tags[rule["RuleARN"]] = body.get("Tags", [])
        record = {"SamplingRule": rule, "CreatedAt": _NOW, "ModifiedAt": _NOW}
        self.rules[rule["RuleARN"]] = record
        return {"SamplingRuleRecord": record}

    def _find(self, body: Item) -> str:
        arn = str(body.get("RuleARN") or f"{self._arn}/{body.get('RuleName')}")
        if arn not in self.rules:
            raise NotThere("InvalidRequestException", arn)
        return arn

    def _update(self, body: Item) -> Item:
        record = self.rules[self._find(body["SamplingRuleUpdate"])]
        record["SamplingRule"] |= body["SamplingRuleUpdate"]
        return {"SamplingRuleRecord": record}

    def _delete(self, body: Item) -> Item:
        return {"SamplingRuleRecord": self.rules.pop(self._find(body))}

    def _tag(self, body: Item) -> Item:
        self._tags[body["ResourceARN"]] = body["Tags"]
        return {}

    def leftovers(self) -> list[str]:
        """ARNs of rules that nobody deleted."""
        return list(self.rules)


class LogDataProtection(_JsonApi):
    """CloudWatch Logs' data protection policies; its groups are moto's."""

    error_code = "ResourceNotFoundException"

    def __init__(self) -> None:
        super().__init__()
        self.policies: dict[str, str] = {}

    def operation_name(self, environ: Environ) -> str | None:
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        name = target.partition(".")[2]
        return name if target.startswith("Logs_") and "DataProtectionPolicy" in name else None

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
            raise NotThere("ResourceNotFoundException", group)
        return {
            "logGroupIdentifier": group,
            "policyDocument": self.policies[group],
            "lastUpdatedTime": _NOW * 1000,
        }

    def _delete(self, body: Item) -> Item:
        self.policies.pop(body["logGroupIdentifier"], None)
        return {}

    def leftovers(self) -> list[str]:
        """Groups whose policy nobody deleted."""
        return list(self.policies)


class BucketLifecycles:
    """Lifecycle rules of S3 buckets as they were written: moto forgets parts of them, and the
    provider then waits in vain for what it wrote.
    """

    _MINIMUM_SIZE: Final = "x-amz-transition-default-minimum-object-size"

    def __init__(self) -> None:
        self._rules: dict[str, tuple[bytes, str]] = {}

    def serves(self, environ: Environ) -> bool:
        query = str(environ.get("QUERY_STRING", "")).split("&")
        return signed_for(environ) == "s3" and bool({"lifecycle", "lifecycle="} & set(query))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        bucket = environ["PATH_INFO"].strip("/")
        status, content, headers = "200 OK", b"", [("x-amz-request-id", str(uuid.uuid4()))]
        match environ["REQUEST_METHOD"]:
            case "PUT":
                rules = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                header = "HTTP_" + self._MINIMUM_SIZE.upper().replace("-", "_")
                size = str(environ.get(header, "all_storage_classes_128K"))
                self._rules[bucket] = (rules, size)
                headers.append((self._MINIMUM_SIZE, size))
            case "DELETE":
                self._rules.pop(bucket, None)
                status = "204 No Content"
            case _ if bucket in self._rules:
                content, size = self._rules[bucket]
                headers.append((self._MINIMUM_SIZE, size))
            case _:
                status = "404 Not Found"
                content = b"<Error><Code>NoSuchLifecycleConfiguration</Code></Error>"
        start_response(
            status,
            [*headers, ("Content-Type", "application/xml"), ("Content-Length", str(len(content)))],
        )
        return [content]


class StandIns:
    """The stand-ins before moto: `StandIns(region).front(moto)` is the whole embedded AWS."""

    def __init__(self, region: str) -> None:
        self.app_runner = AppRunner(region)
        self.sampling = XRaySampling(region)
        self.data_protection = LogDataProtection()
        self._all: list[_JsonApi | BucketLifecycles] = [
            self.app_runner,
            self.sampling,
            self.data_protection,
            BucketLifecycles(),
        ]

    def front(self, moto: Wsgi) -> Wsgi:
        repair_moto()

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            for stand_in in self._all:
                if stand_in.serves(environ):
                    return stand_in(environ, start_response)
            return moto(environ, start_response)

        return application

    def leftovers(self) -> list[str]:
        """What is still there, for a test of `destroy`."""
        return [
            *self.app_runner.leftovers(),
            *self.sampling.leftovers(),
            *self.data_protection.leftovers(),
        ]


def signed_for(environ: Mapping[str, Any]) -> str:
    """The service that the request was signed for, from its Authorization header."""
    credential = str(environ.get("HTTP_AUTHORIZATION", "")).partition("Credential=")[2]
    parts = credential.partition(",")[0].split("/")
    return parts[3] if len(parts) > 3 else ""
