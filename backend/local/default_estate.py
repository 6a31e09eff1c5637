"""The blueprint of the estate that Terraform creates for dev, without running Terraform."""

import json
from collections.abc import Mapping, Sequence

from local.blueprint import (
    ACCOUNT_ID,
    LAMBDA_SERVICES,
    REGION,
    SERVICES,
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

_CLIENT_QUOTA = 100_000
_CHAT_MODEL_ID = "us.anthropic.claude-sonnet-5-5"
_EMBEDDING_MODEL_ID = "amazon.titan-embed-text-v2:0"
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
    cors_origins: Sequence[str] = (),
    users: bool = False,
) -> Blueprint:
    """The blueprint of the `environment`.

    `keys` maps each service and client (`api`, …, `client`, `ingest`) to its API key;
    `cors_origins` is the Terraform variable of that name; `users` sets `authorizer`.
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
            "PEER_SERVICES": ",".join(name for name in SERVICES if name != "api"),
            **({"USERS_REQUIRED": "true"} if users else {}),
        },
        "chat": {
            "CHAT_MODEL_ID": _CHAT_MODEL_ID,
            "CONVERSATIONS_TABLE": conversations,
            "RECORDS_BUCKET": records,
            "RECORD_KEYS_TABLE": record_keys,
        },
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
        _RECORDS: {"RECORDS_BUCKET": records},
    }
    common = {"PROJECT_NAME": project, "ENVIRONMENT": environment, "LOG_LEVEL": log_level}
    variables = {
        service: {
            **common,
            "SERVICE_NAME": service,
            "KEY_SCOPES": json.dumps(DECLARED.key_scopes(service)),
            **own.get(service, {}),
        }
        for service in (*SERVICES, _RECORDS)
    }
    return Blueprint(
        project=project,
        environment=environment,
        api=_rest_api(prefix, environment, keys, origin_secret, cors_origins, users=users),
        functions=tuple(
            Function(
                f"{prefix}-{service}",
                service,
                f"{service}.handler.handler",
                variables[service],
                memory_mb=DECLARED.services[service].memory_mb,
                timeout_seconds=DECLARED.services[service].timeout_s,
            )
            for service in (*LAMBDA_SERVICES, _RECORDS)
        ),
        web_services=tuple(
            WebService(f"{prefix}-{service}", service, f"{service}.server", variables[service])
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
            "api": Schedule('{"task": "advance-jobs"}'),
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
                        "x-origin-verify": "stageVariables.runner_origin",
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
        if cors_origins:
            resources[f"/{service}/{{proxy+}}"]["OPTIONS"] = _preflight(cors_origins[0])
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
            )
            for name in keys
            for quota in [DECLARED.services[name].quota if name in DECLARED.services else None]
        ),
        stage_variables={"runner_origin": origin_secret},
        cors_origins=tuple(cors_origins),
    )


def _id(key_name: str) -> str:
    return f"key-{key_name}"


def _preflight(origin: str) -> Method:
    headers = {
        "access-control-allow-headers": "authorization,content-type,x-api-key,x-request-id",
        "access-control-allow-methods": "GET,POST,PUT,PATCH,DELETE,OPTIONS",
        "access-control-allow-origin": origin,
        "access-control-max-age": "3600",
        "vary": "Origin",
    }
    return Method(MockIntegration(204, headers), api_key_required=False)
