"""Reads the blueprint of the estate that Terraform created in the embedded AWS.

Names, routes, limits and variables come from API Gateway, Lambda, App Runner, Scheduler and Secrets
Manager; only the account is known in advance.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from local.aws.server import boto3_client
from local.blueprint import (
    ACCOUNT_CONCURRENCY,
    ENV_FILE_KEYS,
    REGION,
    ApiKey,
    Blueprint,
    Function,
    FunctionIntegration,
    HttpIntegration,
    Integration,
    Method,
    MockIntegration,
    RestApi,
    Schedule,
    UsagePlan,
    WebService,
)

_INVOKED = re.compile(
    r":function:(?P<name>[^:/]+)(?::(?P<alias>[^:/]+))?"
    r"/(?P<kind>invocations|response-streaming-invocations)$"
)
_KEY_SECRET = re.compile(r"[^/]+/[^/]+/(?P<name>[^/]+)/api-key")
_STREAM = "STREAM"
_HEADER = "integration.request.header."
_PATH = "integration.request.path."
_ANSWER_HEADER = "method.response.header."
_REFUSAL_HEADER = "gatewayresponse.header."
_EVERY_MINUTE = "rate(1 minute)"

type Item = dict[str, Any]


class UnservableError(Exception):
    """The estate cannot be served on this machine. The message is the reason, in one line."""


class EstateReader:
    """Reads the estate in the AWS at `endpoint_url`. Blocks.

    After `read`, `left_out` names what exists there and is not in the blueprint.
    """

    def __init__(self, endpoint_url: str) -> None:
        self.left_out: list[str] = []
        self._endpoint_url = endpoint_url
        self._gateway = self._client("apigateway")
        self._lambda = self._client("lambda")
        self._invoked: dict[str, str | None] = {}  # functions that the gateway calls, with alias

    def read(self) -> Blueprint:
        """The blueprint. Raises UnservableError if a part of the estate cannot run locally."""
        apis = self._gateway.get_rest_apis()["items"]
        if len(apis) != 1:
            raise UnservableError(f"there are {len(apis)} REST APIs, but only one can be served")
        web_services, urls = self._web_services()
        api = self._rest_api(apis[0], urls)
        functions = [self._function(name, alias) for name, alias in self._invoked.items()]
        variables = functions[0].environment if functions else {}
        origins = {
            origin
            for function in functions
            for origin in function.environment.get("CORS_ORIGINS", "").split(",")
            if origin
        }
        schedules = self._schedules(functions)
        for item in self._lambda.list_functions()["Functions"]:
            if item["FunctionName"] not in self._invoked:
                self.left_out.append(f"the function {item['FunctionName']}")
        return Blueprint(
            project=variables.get("PROJECT_NAME", api.name),
            environment=api.stage,
            api=dataclasses.replace(api, cors_origins=tuple(sorted(origins))),
            functions=tuple(functions),
            web_services=tuple(web_services),
            schedules=schedules,
        )

    def _client(self, service: str) -> Any:
        return boto3_client(service, endpoint_url=self._endpoint_url, region=REGION)

    def _rest_api(self, api: Item, urls: Mapping[str, str]) -> RestApi:
        api_id = api["id"]
        [stage] = self._gateway.get_stages(restApiId=api_id)["item"]
        found = self._gateway.get_resources(restApiId=api_id, embed=["methods"], limit=500)
        settings = stage.get("methodSettings", {})
        methods: dict[str, dict[str, Method]] = {}
        timeouts = set()
        for resource in found["items"]:
            for http_method, method in resource.get("resourceMethods", {}).items():
                integration = method["methodIntegration"]
                if integration.get("responseTransferMode") != _STREAM:
                    timeouts.add(integration.get("timeoutInMillis", 29_000) / 1000)
                own = settings.get(f"{resource['path'].replace('/', '~1')}/{http_method}", {})
                methods.setdefault(resource["path"], {})[http_method] = Method(
                    self._integration(resource["path"], integration, urls),
                    api_key_required=method["apiKeyRequired"],
                    rate_per_second=own.get("throttlingRateLimit"),
                    burst=own.get("throttlingBurstLimit"),
                )
        responses = self._gateway.get_gateway_responses(restApiId=api_id)["items"]
        every_method = settings.get("*/*", {})
        return RestApi(
            api_id=api_id,
            name=api["name"],
            stage=stage["stageName"],
            resources=methods,
            keys=self._keys(),
            usage_plans=self._usage_plans(api_id, stage["stageName"]),
            stage_variables=stage.get("variables", {}),
            binary_media_types=tuple(api.get("binaryMediaTypes", ())),
            integration_timeout_seconds=max(timeouts, default=29.0),
            rate_per_second=every_method.get("throttlingRateLimit"),
            burst=every_method.get("throttlingBurstLimit"),
            refusal_headers={
                item["responseType"]: _without(_REFUSAL_HEADER, item.get("responseParameters", {}))
                for item in responses
            },
        )

    def _integration(self, path: str, details: Item, urls: Mapping[str, str]) -> Integration:
        parameters = details.get("requestParameters", {})
        for name, source in _without(_PATH, parameters).items():
            if source != f"method.request.path.{name}":
                raise UnservableError(f"{path}: the mapping of {source} to {name} is not supported")
        match details["type"]:
            case "AWS_PROXY" if found := _INVOKED.search(details["uri"]):
                self._invoked[found["name"]] = found["alias"]
                streams = details.get("responseTransferMode") == _STREAM
                if streams != (found["kind"] == "response-streaming-invocations"):
                    raise UnservableError(f"{path}: the transfer mode and the URI do not agree")
                if not streams:
                    return FunctionIntegration(found["name"])
                seconds = details["timeoutInMillis"] / 1000
                return FunctionIntegration(found["name"], streams=True, timeout_seconds=seconds)
            case "HTTP_PROXY":
                headers = _without(_HEADER, parameters)
                for url, service in urls.items():
                    if details["uri"].startswith(url):
                        # WebServiceHost sets this variable to the service's local URL.
                        uri = details["uri"].replace(url, f"${{stageVariables.{service}_url}}", 1)
                        return HttpIntegration(uri, service, headers)
            case "MOCK":
                [response] = details["integrationResponses"].values()
                headers = _without(_ANSWER_HEADER, response.get("responseParameters", {}))
                return MockIntegration(
                    int(response["statusCode"]),
                    {name.lower(): value.strip("'") for name, value in headers.items()},
                )
        raise UnservableError(
            f"{path}: {details['type']} {details.get('uri', '')} is not supported"
        )

    def _keys(self) -> tuple[ApiKey, ...]:
        """The API keys, each with the name of the service or client whose secret contains it."""
        names = {}
        secrets = self._client("secretsmanager")
        for page in secrets.get_paginator("list_secrets").paginate():
            for secret in page["SecretList"]:
                if found := _KEY_SECRET.fullmatch(secret["Name"]):
                    value = secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"]
                    names[value] = found["name"]
        pages = self._gateway.get_paginator("get_api_keys").paginate(includeValues=True)
        keys = tuple(
            ApiKey(key["id"], names.get(key["value"], key["name"]), key["value"], key["enabled"])
            for page in pages
            for key in page["items"]
        )
        if missing := sorted(set(ENV_FILE_KEYS.values()) - {key.name for key in keys}):
            raise UnservableError(
                f"there is no key for `{missing[0]}`: name it in service_api_keys"
            )
        return keys

    def _usage_plans(self, api_id: str, stage: str) -> tuple[UsagePlan, ...]:
        plans = []
        for page in self._gateway.get_paginator("get_usage_plans").paginate():
            for plan in page["items"]:
                if {"apiId": api_id, "stage": stage} not in plan["apiStages"]:
                    continue
                keys = self._gateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"]
                quota, throttle = plan.get("quota", {}), plan.get("throttle", {})
                plans.append(
                    UsagePlan(
                        plan["id"],
                        plan["name"],
                        tuple(key["id"] for key in keys),
                        quota_limit=quota.get("limit"),
                        quota_period=quota.get("period", "MONTH"),
                        rate_per_second=throttle.get("rateLimit"),
                        burst=throttle.get("burstLimit"),
                    )
                )
        return tuple(plans)

    def _function(self, name: str, alias: str | None) -> Function:
        qualifier = {"Qualifier": alias} if alias else {}
        details = self._lambda.get_function_configuration(FunctionName=name, **qualifier)
        limit = self._lambda.get_function_concurrency(FunctionName=name)
        variables = details["Environment"]["Variables"]
        return Function(
            name,
            variables["SERVICE_NAME"],
            details["Handler"],
            variables,
            memory_mb=details["MemorySize"],
            timeout_seconds=float(details["Timeout"]),
            reserved_concurrency=limit.get("ReservedConcurrentExecutions", ACCOUNT_CONCURRENCY),
            version=details["Version"],
            alias=alias,
            role=details["Role"].rpartition("/")[2],
        )

    def _web_services(self) -> tuple[list[WebService], dict[str, str]]:
        """App Runner's services, and the service's name by its URL."""
        app_runner = self._client("apprunner")
        services, urls = [], {}
        for item in app_runner.list_services()["ServiceSummaryList"]:
            details = app_runner.describe_service(ServiceArn=item["ServiceArn"])["Service"]
            image = details["SourceConfiguration"]["ImageRepository"]["ImageConfiguration"]
            variables = {**image["RuntimeEnvironmentVariables"], "PORT": image["Port"]}
            service = variables["SERVICE_NAME"]
            # The image's command; App Runner's API does not return it.
            module = f"{service}.server"
            role = details["InstanceConfiguration"]["InstanceRoleArn"].rpartition("/")[2]
            services.append(WebService(details["ServiceName"], service, module, variables, role))
            urls[f"https://{details['ServiceUrl']}"] = service
        return services, urls

    def _schedules(self, functions: list[Function]) -> dict[str, Schedule]:
        services = {function.arn: function.service for function in functions}
        scheduler = self._client("scheduler")
        events = {}
        for page in scheduler.get_paginator("list_schedules").paginate():
            for item in page["Schedules"]:
                details = scheduler.get_schedule(Name=item["Name"], GroupName=item["GroupName"])
                service = services.get(details["Target"]["Arn"])
                expression = details["ScheduleExpression"]
                if service and expression == _EVERY_MINUTE and details["State"] == "ENABLED":
                    events[service] = Schedule(details["Target"]["Input"])
                else:
                    self.left_out.append(f"the schedule {details['Name']}, {expression}")
        return events


def _without(prefix: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters that start with `prefix`, which is removed from their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in parameters.items()
        if name.startswith(prefix)
    }
