"""The description of an estate: its functions, web services, routes, API keys and secrets.

There are two sources: `default_estate.py`, and `terraform/readback.py`, which reads what Terraform
created. Everything else in `local` uses only this model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from services.declared import FUNCTIONS, ROUTED

ACCOUNT_ID = "123456789012"  # moto's account
ACCOUNT_CONCURRENCY = 1000  # shared by all functions without a limit of their own
REGION = "us-east-1"
WRAPPER_VARIABLE = "AWS_LAMBDA_EXEC_WRAPPER"
STREAM_WRAPPER = "/var/task/shared/aws_lambda/stream_runtime.sh"
"""The program in a function's package that starts our runtime loop."""
GATEWAY_RESPONSES = ("DEFAULT_4XX", "DEFAULT_5XX")
SERVICES = ROUTED
ENV_FILE_KEYS = {"API_KEY": "client", "INGEST_API_KEY": "ingest"}
"""The variables of the env file with API keys, and the names of the keys."""
LAMBDA_SERVICES = FUNCTIONS


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function with its environment in the cloud; `overlay.py` replaces the endpoints."""

    name: str
    service: str
    handler: str
    environment: Mapping[str, str]
    memory_mb: int = 512
    timeout_seconds: float = 30.0
    reserved_concurrency: int = 100
    version: str = "$LATEST"
    alias: str | None = None
    """The alias that callers use, if any."""
    role: str = ""
    """The name of its execution role."""

    @property
    def streams(self) -> bool:
        """Whether its runtime is our loop, which can stream, and not AWS's client."""
        return self.environment.get(WRAPPER_VARIABLE, "") == STREAM_WRAPPER

    @property
    def arn(self) -> str:
        return self.qualified_arn(self.alias)

    def qualified_arn(self, qualifier: str | None) -> str:
        """The ARN of the alias or version `qualifier`; of the function itself without one."""
        plain = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.name}"
        return f"{plain}:{qualifier}" if qualifier else plain


@dataclass(frozen=True, slots=True)
class WebService:
    """An App Runner service: a program that listens on $PORT."""

    name: str
    service: str
    module: str
    environment: Mapping[str, str]
    role: str = ""


@dataclass(frozen=True, slots=True)
class FunctionIntegration:
    """AWS_PROXY: the function gets the request as an event.

    With `streams`, its answer comes in pieces after a prelude, within `timeout_seconds`.
    """

    function_name: str
    streams: bool = False
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class HttpIntegration:
    """HTTP_PROXY to `uri`, in which `{proxy}` and `${stageVariables.x}` are replaced.

    `headers` maps a header name to API Gateway's mapping expression: `'literal'`,
    `context.requestId`, `stageVariables.x` or `method.request.header.x`.
    """

    uri: str
    service: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MockIntegration:
    """MOCK: API Gateway answers itself, for example a browser's preflight request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


type Integration = FunctionIntegration | HttpIntegration | MockIntegration


@dataclass(frozen=True, slots=True)
class Method:
    """One HTTP method of a resource. `ANY` serves the methods that the resource does not list."""

    integration: Integration
    api_key_required: bool = True
    needs_user: bool = False
    """Whether the authorizer must accept the request's token."""
    rate_per_second: float | None = None
    """Its own limit in place of the stage's, with `burst`."""
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    key_id: str
    name: str
    value: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """The limits of the keys in it: `quota_limit` requests per key and period, and a token bucket
    per key with `rate_per_second` and `burst`.
    """

    plan_id: str
    name: str
    key_ids: tuple[str, ...]
    quota_limit: int | None = None
    quota_period: Literal["DAY", "WEEK", "MONTH"] = "MONTH"
    rate_per_second: float | None = None
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class RestApi:
    """A REST API and its one stage. `resources` maps a resource path (`/api/{proxy+}`) to its
    methods. Each method has a token bucket for all callers, with `rate_per_second` and `burst`
    unless it has limits of its own.
    """

    api_id: str
    name: str
    stage: str
    resources: Mapping[str, Mapping[str, Method]]
    keys: tuple[ApiKey, ...] = ()
    usage_plans: tuple[UsagePlan, ...] = ()
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    binary_media_types: tuple[str, ...] = ()
    integration_timeout_seconds: float = 29.0
    rate_per_second: float | None = None
    burst: int | None = None
    cors_origins: tuple[str, ...] = ()
    """The origins of web pages that may call the stage, beside those of this machine."""
    refusal_headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The extra headers of the gateway's own errors, as mapping expressions, for `DEFAULT_4XX` and
    `DEFAULT_5XX`.
    """

    def key_named(self, name: str) -> ApiKey:
        """The key of that name. Raises KeyError if there is none."""
        for key in self.keys:
            if key.name == name:
                return key
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The JSON event that a function gets again and again, the first time after `every_seconds`."""

    event: str
    every_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The whole estate. `secrets`, `parameters`, `buckets` and `tables` are created before the
    services start.
    """

    project: str
    environment: str
    api: RestApi
    functions: tuple[Function, ...]
    web_services: tuple[WebService, ...]
    secrets: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters of SSM."""
    buckets: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    """DynamoDB tables with the keys `pk` and `sk`, and the TTL attribute `expires_at`."""
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    """By service name."""

    @property
    def tracing(self) -> str:
        """How its functions send spans, as Terraform's variable `tracing_mode` says it."""
        variables = self.functions[0].environment if self.functions else {}
        if variables.get("ENABLE_TRACING") == "false":
            return "off"
        if variables.get("OTLP_ENDPOINT", "").startswith("udp:"):
            return "udp"
        wrapper = variables.get(WRAPPER_VARIABLE, STREAM_WRAPPER)
        return "sdk" if wrapper == STREAM_WRAPPER else "auto"

    def function_of(self, service: str) -> Function:
        """The function of that service. Raises KeyError if it has none."""
        for function in self.functions:
            if function.service == service:
                return function
        raise KeyError(service)


def without_limits(blueprint: Blueprint) -> Blueprint:
    """The blueprint without quotas and throttles."""
    plans = tuple(
        replace(plan, quota_limit=None, rate_per_second=None, burst=None)
        for plan in blueprint.api.usage_plans
    )
    resources = {
        path: {
            name: replace(method, rate_per_second=None, burst=None)
            for name, method in methods.items()
        }
        for path, methods in blueprint.api.resources.items()
    }
    api = replace(
        blueprint.api, resources=resources, usage_plans=plans, rate_per_second=None, burst=None
    )
    return replace(blueprint, api=api)
