"""boto3 clients for the programs: time-outs, few retries, the environment's region."""

import functools
from typing import Any


@functools.cache
def client(service: str, region: str | None = None) -> Any:
    """Return a client in a region, by default that of AWS_REGION or AWS_DEFAULT_REGION.

    The type is `Any`, because type stubs are not installed for all services.
    """
    import os

    import boto3
    from botocore.config import Config

    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    settings = Config(
        connect_timeout=5, read_timeout=40, retries={"mode": "standard", "total_max_attempts": 4}
    )
    return boto3.client(service, region_name=region, config=settings)  # type: ignore[call-overload]
