"""The description of an estate: its functions, web services, routes, API keys and secrets.

There are two sources: `default_estate` below, and `terraform/readback.py`, which reads what
Terraform created. Everything else in `local` uses only this model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

ACCOUNT_ID = "123456789012"  # moto's account
REGION = "us-east-1"
SERVICES = ("api", "chat", "s3vector", "runner")
LAMBDA_SERVICES = ("api", "chat", "s3vector")

_QUOTAS = {"api": 100_000, "chat": 100_000, "s3vector": 50_000, "runner": 75_000, "client": 100_000}
_CHAT_MODEL_ID = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
_EMBEDDING_MODEL_ID = "amazon.titan-embed-text-v2:0"


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function. `environment` is the cloud's; `overlay.py` adds the local endpoints."""

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

    @property
    def arn(self) -> str:
        plain = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.name}"
        return f"{plain}:{self.alias}" if self.alias else plain


@dataclass(frozen=True, slots=True)
class WebService:
    """An App Runner service: a program that listens on $PORT."""

    name: str
    service: str
    module: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FunctionIntegration:
    """AWS_PROXY: the function gets the request as an event."""

    function_name: str


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
    """One HTTP method of a resource. `ANY` applies to those that the resource does not define."""

    integration: Integration
    api_key_required: bool = True


@dataclass(frozen=True, slots=True)
class ApiKey:
    key_id: str
    name: str
    value: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """How often its keys may call: `quota_limit` requests per key and period, and a token bucket
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
    methods. Each method has a token bucket for all callers, with `rate_per_second` and `burst`.
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
        """The key of that name; KeyError when there is none."""
        for key in self.keys:
            if key.name == name:
                return key
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The whole estate. `secrets` and `buckets` are created before the services start."""

    project: str
    environment: str
    api: RestApi
    functions: tuple[Function, ...]
    web_services: tuple[WebService, ...]
    secrets: Mapping[str, str] = field(default_factory=dict)
    buckets: tuple[str, ...] = ()
    schedules: Mapping[str, str] = field(default_factory=dict)
    """The JSON event that a service gets every minute, by service name."""

    def function_of(self, service: str) -> Function:
        """The function of that service; KeyError when it has none."""
        for function in self.functions:
            if function.service == service:
                return function
        raise KeyError(service)


def default_estate(
    *,
    project: str = "fin-advisor",
    environment: str = "dev",
    keys: Mapping[str, str],
    origin_secret: str,
    log_level: str = "INFO",
    cors_origins: Sequence[str] = (),
) -> Blueprint:
    """The estate that Terraform creates for dev, without running Terraform.

    `keys` maps each service and client (`api`, …, `client`) to its API key; `cors_origins` is the
    Terraform variable of that name.
    """
    prefix = f"{project}-{environment}"
    vectors = f"{prefix}-vectors-{ACCOUNT_ID}-{REGION}"
    jobs = f"{prefix}-jobs-{ACCOUNT_ID}-{REGION}"
    own: dict[str, dict[str, str]] = {
        "api": {"CORS_ORIGINS": ",".join(cors_origins)},
        "chat": {"CHAT_MODEL_ID": _CHAT_MODEL_ID},
        "s3vector": {
            "BEDROCK_MODEL_ID": _EMBEDDING_MODEL_ID,
            "VECTOR_BUCKET_NAME": vectors,
            "VECTOR_BACKEND": "s3",
        },
        "runner": {
            "JOBS_BUCKET_NAME": jobs,
            "ORIGIN_CHECK": "true",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        },
    }
    common = {"PROJECT_NAME": project, "ENVIRONMENT": environment, "LOG_LEVEL": log_level}
    variables = {
        service: {**common, "SERVICE_NAME": service, **own[service]} for service in SERVICES
    }
    return Blueprint(
        project=project,
        environment=environment,
        api=_rest_api(prefix, environment, keys, origin_secret, cors_origins),
        functions=tuple(
            Function(
                f"{prefix}-{service}", service, f"{service}.handler.handler", variables[service]
            )
            for service in LAMBDA_SERVICES
        ),
        web_services=(
            WebService(f"{prefix}-runner", "runner", "runner.server", variables["runner"]),
        ),
        secrets={
            **{f"{project}/{environment}/{name}/api-key": key for name, key in keys.items()},
            f"{project}/{environment}/runner/origin": origin_secret,
        },
        buckets=(vectors, jobs),
        schedules={"api": '{"task": "advance-jobs"}'},
    )


def _rest_api(
    prefix: str,
    environment: str,
    keys: Mapping[str, str],
    origin_secret: str,
    cors_origins: Sequence[str],
) -> RestApi:
    resources: dict[str, dict[str, Method]] = {}
    for service in SERVICES:
        for path, proxy in ((f"/{service}", ""), (f"/{service}/{{proxy+}}", "{proxy}")):
            integration: Integration
            if service == "runner":
                integration = HttpIntegration(
                    uri="${stageVariables.runner_url}/" + proxy,
                    service="runner",
                    headers={
                        "x-origin-verify": "stageVariables.runner_origin",
                        "x-amzn-requestid": "context.requestId",
                    },
                )
            else:
                integration = FunctionIntegration(f"{prefix}-{service}")
            resources[path] = {"ANY": Method(integration)}
        if cors_origins:
            resources[f"/{service}/{{proxy+}}"]["OPTIONS"] = _preflight(cors_origins[0])
    return RestApi(
        api_id="local00000",
        name=prefix,
        stage=environment,
        resources=resources,
        keys=tuple(ApiKey(f"key-{name}", name, value) for name, value in keys.items()),
        usage_plans=tuple(
            UsagePlan(
                f"plan-{name}", name, (f"key-{name}",), quota_limit=_QUOTAS.get(name, 100_000)
            )
            for name in keys
        ),
        stage_variables={"runner_origin": origin_secret},
        cors_origins=tuple(cors_origins),
    )


def _preflight(origin: str) -> Method:
    headers = {
        "access-control-allow-headers": "authorization,content-type,x-api-key,x-request-id",
        "access-control-allow-methods": "GET,POST,PUT,PATCH,DELETE,OPTIONS",
        "access-control-allow-origin": origin,
        "access-control-max-age": "3600",
        "vary": "Origin",
    }
    return Method(MockIntegration(204, headers), api_key_required=False)
