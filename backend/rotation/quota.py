"""Publishes the remaining quota of each key as a metric; API Gateway does not do this itself."""

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rotation.settings import Settings
from rotation.steps import gateway_keys

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_secretsmanager import SecretsManagerClient


class Quotas:
    """The quotas of the usage plans in `USAGE_PLAN_IDS`."""

    def __init__(
        self,
        settings: Settings,
        *,
        secrets: "SecretsManagerClient",
        gateway: "APIGatewayClient",
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._gateway = gateway

    def remaining(self, name: str) -> tuple[int, int] | None:
        """Return the remaining calls of the current key of a key name, and its limit.

        None if the usage plan has no quota.
        """
        plan_id = self._settings.usage_plan_ids[name]
        limit = self._gateway.get_usage_plan(usagePlanId=plan_id).get("quota", {}).get("limit")
        if not limit:
            return None
        key_id = self._current_key_id(name)
        today = datetime.now(UTC).date().isoformat()
        days: list[Any] = []
        pages = self._gateway.get_paginator("get_usage").paginate(
            usagePlanId=plan_id, keyId=key_id, startDate=today, endDate=today
        )
        for page in pages:
            days += page.get("items", {}).get(key_id, [])
        # One [used, remaining] for each day; none for a key without calls.
        return (int(days[-1][1]) if days else limit), limit

    def _current_key_id(self, name: str) -> str:
        secret = f"{self._settings.project_name}/{self._settings.environment}/{name}/api-key"
        value = self._secrets.get_secret_value(SecretId=secret)["SecretString"]
        key = gateway_keys(self._settings, self._gateway, name).with_value(value)
        if key is None:
            raise LookupError(f"{secret}: API Gateway has no key with the current value.")
        return key.id


def metric_line(settings: Settings, name: str, remaining: int, limit: int) -> str:
    """Return one log line in CloudWatch's Embedded Metric Format."""
    # QuotaRemaining is a field and not a metric: CloudWatch bills each metric of each key.
    metrics = [{"Name": "QuotaRemainingPercent", "Unit": "Percent"}]
    return json.dumps(
        {
            "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": settings.project_name,
                        "Dimensions": [["Environment", "Service"]],
                        "Metrics": metrics,
                    }
                ],
            },
            "Environment": settings.environment,
            "Service": name,
            "QuotaRemaining": remaining,
            "QuotaRemainingPercent": round(100 * remaining / limit, 2),
        }
    )
