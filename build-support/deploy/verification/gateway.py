"""Claims about the gateway of the environment: what it passes on, and whether it streams."""

from typing import Any, Final

import httpx

from deploy.checks import CheckFailed
from deploy.verification.claims import NotTried, Trial

_SECONDS: Final = 35.0  # The gateway gives up after 29.
_KEY: Final = "client"


def key_ids_reach_the_services(trial: Trial) -> str:
    """Call an operation that the key `client` has a scope for, and one that it has none for."""
    url, secret = (
        stage_url(trial),
        f"{trial.examined.variables['project_name']}/{trial.environment}",
    )
    secrets = trial.client("secretsmanager")
    try:
        key = secrets.get_secret_value(SecretId=f"{secret}/{_KEY}/api-key")["SecretString"]
    except secrets.exceptions.ResourceNotFoundException:
        raise NotTried(f"{trial.prefix} has no API key {_KEY}: keys are off") from None
    allowed = _answer(f"{url}/api/status", key)
    if allowed.status_code != httpx.codes.OK:
        raise CheckFailed(
            f"GET /api/status answered {allowed.status_code} to the key {_KEY}, which has its scope"
        )
    refused = _answer(f"{url}/s3vector/documents", key)
    if refused.status_code != httpx.codes.FORBIDDEN or "missing_scope" not in refused.text:
        raise CheckFailed(
            f"GET /s3vector/documents answered {refused.status_code} to the key {_KEY}, which has "
            "no scope of s3vector"
        )
    without = _answer(f"{url}/api/status", None)
    if without.status_code != httpx.codes.FORBIDDEN:
        raise CheckFailed(f"GET /api/status answered {without.status_code} without a key")
    return "the services told keys apart by their ids: 200 with the scope, 403 without it"


def the_gateway_streams(trial: Trial) -> str:
    """Look for integrations that stream. No service has an operation yet that could be tried."""
    api, gateway = _api(trial), trial.client("apigateway")
    streams = [
        f"{method} {resource['path']}"
        for page in gateway.get_paginator("get_resources").paginate(restApiId=api)
        for resource in page["items"]
        for method in resource.get("resourceMethods", {})
        if _mode(gateway, api, resource["id"], method) == "STREAM"
    ]
    if not streams:
        raise NotTried("streaming is off: no integration of the API streams")
    raise NotTried(f"no request is written here that tries {', '.join(streams)}")


def _mode(gateway: Any, api: str, resource: str, method: str) -> str:
    found = gateway.get_integration(restApiId=api, resourceId=resource, httpMethod=method)
    return str(found.get("responseTransferMode", "BUFFERED"))


def _api(trial: Trial) -> str:
    pages = trial.client("apigateway").get_paginator("get_rest_apis").paginate()
    for page in pages:
        for api in page["items"]:
            if api["name"] == trial.prefix:
                return str(api["id"])
    raise NotTried(f"{trial.prefix} is not deployed: it has no REST API")


def stage_url(trial: Trial) -> str:
    api, region = _api(trial), trial.examined.variables["aws_region"]
    if not trial.is_aws:
        raise NotTried(f"{trial.endpoint} is not AWS, and runs no gateway")
    end = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{api}.execute-api.{region}.{end}/{trial.environment}"


def _answer(url: str, key: str | None) -> httpx.Response:
    headers = {"x-api-key": key} if key else {}
    return httpx.get(url, headers=headers, timeout=_SECONDS, trust_env=False)
