"""The blueprint of the estate that Terraform creates for dev, without running Terraform.

A test compares it with the blueprint of an applied estate.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.blueprint import (
    ACCOUNT_CONCURRENCY,
    ACCOUNT_ID,
    GATEWAY_RESPONSES,
    LAMBDA_SERVICES,
    REGION,
    SERVICES,
    STREAM_WRAPPER,
    WRAPPER_VARIABLE,
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
from services.declared import CONTAINERS, DECLARED

DEV_ORIGINS = ("http://localhost:3000", "http://localhost:5173")
"""`cors_origins` of dev. The local gateway also accepts every other origin of this machine."""

_OPERATIONS = Path(__file__).resolve().parents[2] / "terraform" / "operations.json"
_CORS_HEADERS = "authorization,content-type,idempotency-key,x-api-key,x-request-id"
_CORS_EXPOSED = "location,retry-after,x-request-id"
_CLIENT_QUOTA = 10_000
_RATE_PER_SECOND = 100.0
_BURST = 200
_KEY_RATE_PER_SECOND = 50.0
_KEY_BURST = 100
_CHAT_MODEL_ID = "us.anthropic.claude-sonnet-5-5"
_EMBEDDING_MODEL_ID = "amazon.titan-embed-text-v2:0"
_STREAM_SECONDS = 120.0
_STREAM_VARIABLES = {
    WRAPPER_VARIABLE: STREAM_WRAPPER,
    "STREAM_TIMEOUT_SECONDS": str(int(_STREAM_SECONDS)),
}
_RECORDS = "records"
# Terraform schedules these tasks each hour. An estate on one machine rarely runs for so long.
_TASK_SECONDS = 600.0


def default_estate(
    *,
    project: str = "fin-advisor",
    environment: str = "dev",
    keys: Mapping[str, str],
    origin_secret: str,
    log_level: str = "INFO",
    cors_origins: Sequence[str] = DEV_ORIGINS,
    users: bool = False,
    streaming: bool = True,
) -> Blueprint:
    """The blueprint of the `environment`.

    `keys` maps each service and client (`api`, …, `client`, `ingest`) to its API key;
    `cors_origins` and `streaming` are the Terraform variables of these names; `users` sets
    `authorizer`.
    """
    prefix = f"{project}-{environment}"
    vectors = f"{prefix}-vectors-{ACCOUNT_ID}-{REGION}"
    conversations = f"{prefix}-conversations"
    records = f"{prefix}-records-{ACCOUNT_ID}-{REGION}"
    record_keys = f"{prefix}-record-keys"
    jobs = f"{prefix}-jobs-{ACCOUNT_ID}-{REGION}"
    own: dict[str, dict[str, str]] = {
        "api": {
            "CORS_ORIGINS": ",".join(cors_origins),
            "PEER_SERVICES": ",".join(sorted(set(SERVICES) - {"api"})),
            **({"USERS_REQUIRED": "true"} if users else {}),
        },
        "chat": {
            "CHAT_MODEL_ID": _CHAT_MODEL_ID,
            "CHAT_MAX_OUTPUT_TOKENS": "4096",
            "CHAT_CITATIONS": "prompt",
            "CONVERSATIONS_TABLE": conversations,
            "CONVERSATION_DAYS": "30",
            "RECORDS_REQUIRED": "false",
            "RECORDS_BUCKET": records,
            "RECORD_KEYS_TABLE": record_keys,
        },
        "s3vector": {
            "BEDROCK_MODEL_ID": _EMBEDDING_MODEL_ID,
            "EMBEDDING_DIMENSIONS": "1024",
            "VECTOR_BUCKET_NAME": vectors,
            "VECTOR_BACKEND": "s3",
            "MAX_STORE_BYTES": str(192 * 2**20),
        },
        "runner": {
            "JOBS_BUCKET_NAME": jobs,
            "ORIGIN_CHECK": "true",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        },
        _RECORDS: {"RECORDS_BUCKET": records},
    }
    common = {
        "PROJECT_NAME": project,
        "ENVIRONMENT": environment,
        "LOG_LEVEL": log_level,
        "ENABLE_SERVICE_API_KEYS": "true",
    }
    variables = {
        service: {
            **common,
            "SERVICE_NAME": service,
            "KEY_SCOPES": json.dumps(DECLARED.key_scopes(service)),
            **own.get(service, {}),
            **(_STREAM_VARIABLES if streaming and _streams(service) else {}),
        }
        for service in (*SERVICES, _RECORDS)
    }
    return Blueprint(
        project=project,
        environment=environment,
        api=_rest_api(
            prefix, environment, keys, origin_secret, cors_origins, users=users, streaming=streaming
        ),
        functions=tuple(
            Function(
                f"{prefix}-{service}",
                service,
                f"{service}.handler.handler",
                variables[service],
                memory_mb=DECLARED.services[service].memory_mb,
                timeout_seconds=(
                    _STREAM_SECONDS
                    if streaming and _streams(service)
                    else DECLARED.services[service].timeout_s
                ),
                reserved_concurrency=ACCOUNT_CONCURRENCY,
                version="1",
                alias="live",
                role=f"{prefix}-lambda-{service}",
            )
            for service in (*LAMBDA_SERVICES, _RECORDS)
        ),
        web_services=tuple(
            WebService(
                f"{prefix}-{service}",
                service,
                f"{service}.server",
                variables[service],
                role=f"{prefix}-apprunner-{service}",
            )
            for service in CONTAINERS
        ),
        secrets={
            **{f"{project}/{environment}/{name}/api-key": key for name, key in keys.items()},
            f"{project}/{environment}/runner/origin": origin_secret,
        },
        parameters={
            f"/{project}/{environment}/api-key-ids": json.dumps(
                {name: [_id(name)] for name in keys}
            )
        },
        buckets=(vectors, jobs, records),
        tables=(conversations, record_keys),
        schedules={
            "api": Schedule('{"task":"advance-jobs"}'),
            "s3vector": Schedule('{"task": "erase-texts"}', _TASK_SECONDS),
            _RECORDS: Schedule('{"task": "seal-records"}', _TASK_SECONDS),
        },
    )


def _rest_api(
    prefix: str,
    environment: str,
    keys: Mapping[str, str],
    origin_secret: str,
    cors_origins: Sequence[str],
    *,
    users: bool,
    streaming: bool,
) -> RestApi:
    resources: dict[str, dict[str, Method]] = {}
    for service in SERVICES:
        for path, proxy in ((f"/{service}", ""), (f"/{service}/{{proxy+}}", "{proxy}")):
            integration: Integration
            if service in CONTAINERS:
                integration = HttpIntegration(
                    uri=f"${{stageVariables.{service}_url}}/{proxy}",
                    service=service,
                    headers={
                        "x-origin-verify": "stageVariables.originVerify",
                        "x-amzn-requestid": "context.requestId",
                        "x-api-key-id": "context.identity.apiKeyId",
                    },
                )
            else:
                integration = FunctionIntegration(f"{prefix}-{service}")
            needs_user = users and DECLARED.services[service].users
            resources[path] = {"ANY": Method(integration, needs_user=needs_user)}
            if needs_user:
                resources[f"/{service}/health"] = {"GET": Method(integration)}
        for operation in _streams(service) if streaming else ():
            method, _, path = operation.partition(" ")
            integration = FunctionIntegration(
                f"{prefix}-{service}", streams=True, timeout_seconds=_STREAM_SECONDS
            )
            resources[f"/{service}{path}"] = {method: Method(integration, needs_user=needs_user)}
        if cors_origins and DECLARED.services[service].users:
            resources[f"/{service}/{{proxy+}}"]["OPTIONS"] = _preflight(cors_origins[0])
    # The operations that Terraform names, each with a resource of its own.
    for operation in json.loads(_OPERATIONS.read_text())["operations"].values():
        service = operation["path"].partition("/")[0]
        needs_user = users and DECLARED.services[service].users
        resources.setdefault(f"/{operation['path']}", {})[operation["method"]] = Method(
            FunctionIntegration(f"{prefix}-{service}"), needs_user=needs_user
        )
    return RestApi(
        api_id="local00000",
        name=prefix,
        stage=environment,
        resources=resources,
        keys=tuple(ApiKey(_id(name), name, value) for name, value in keys.items()),
        usage_plans=tuple(
            UsagePlan(
                f"plan-{name}",
                name,
                (_id(name),),
                quota_limit=quota.limit if quota else _CLIENT_QUOTA,
                quota_period=quota.period if quota else "MONTH",
                rate_per_second=_KEY_RATE_PER_SECOND,
                burst=_KEY_BURST,
            )
            for name in keys
            for quota in [DECLARED.services[name].quota if name in DECLARED.services else None]
        ),
        stage_variables={"originVerify": origin_secret},
        rate_per_second=_RATE_PER_SECOND,
        burst=_BURST,
        cors_origins=tuple(cors_origins),
        refusal_headers={kind: _refusal_headers(cors_origins) for kind in GATEWAY_RESPONSES},
    )


def _streams(service: str) -> list[str]:
    return DECLARED.services[service].streams


def _id(key_name: str) -> str:
    return f"key-{key_name}"


def _refusal_headers(origins: Sequence[str]) -> dict[str, str]:
    headers = {"x-request-id": "context.requestId"}
    if origins:
        headers |= {
            "Access-Control-Allow-Origin": f"'{origins[0]}'" if len(origins) == 1 else "'*'",
            "Access-Control-Expose-Headers": f"'{_CORS_EXPOSED}'",
        }
    return headers


def _preflight(origin: str) -> Method:
    headers = {
        "access-control-allow-headers": _CORS_HEADERS,
        "access-control-allow-methods": "GET,POST,PUT,PATCH,DELETE,OPTIONS",
        "access-control-allow-origin": origin,
        "access-control-max-age": "3600",
        "vary": "Origin",
    }
    return Method(MockIntegration(204, headers), api_key_required=False)
