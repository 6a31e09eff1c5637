"""Checks of the account's quotas: concurrent executions, code storage, API keys, usage plans."""

from collections.abc import Iterator
from typing import Final

from deploy.diagnosis.findings import Examined, Finding, blocker, warning

# Below this, a few users at once are throttled: one request to /api/ask runs three functions.
_MIN_CONCURRENCY: Final = 100
_NEARLY_FULL: Final = 0.8

# API Gateway's default quotas of an account in a region, and what one environment adds at most.
_GATEWAY_QUOTAS: Final = {
    "API keys": ("get_api_keys", 10_000, 10),
    "usage plans": ("get_usage_plans", 300, 10),
}


def quotas(examined: Examined) -> Iterator[Finding]:
    """Compare use and limits."""
    settings = examined.client("lambda").get_account_settings()
    limit, usage = settings["AccountLimit"], settings["AccountUsage"]
    concurrency = limit["ConcurrentExecutions"]
    if concurrency < _MIN_CONCURRENCY:
        yield warning(
            f"Lambda runs at most {concurrency} executions at once in this account; more requests "
            "are throttled and answered with 500",
            "Ask for more in Service Quotas (Lambda, Concurrent executions); a new account has 10. "
            "Until then leave reserved_concurrency empty",
        )
    stored, storage = usage["TotalCodeSize"], limit["TotalCodeSize"]
    if stored >= _NEARLY_FULL * storage:
        found = blocker if stored >= storage else warning
        yield found(
            f"Lambda's code storage is {stored / storage:.0%} full "
            f"({stored >> 20} of {storage >> 20} MiB, all functions of the account)",
            "Delete unused functions and versions; `deploy:promote` prunes this project's. Or ask "
            "for more in Service Quotas (Lambda, Function and layer storage)",
        )
    gateway = examined.client("apigateway")
    for what, (operation, quota, added) in _GATEWAY_QUOTAS.items():
        pages = gateway.get_paginator(operation).paginate(PaginationConfig={"PageSize": 500})
        used = sum(len(page["items"]) for page in pages)
        if used + added > quota:
            yield warning(
                f"API Gateway has {used} {what} in this region; the default quota is {quota}",
                "Ask for more in Service Quotas (API Gateway), unless that was done already",
            )
