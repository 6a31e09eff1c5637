"""Calls from one service to another through the gateway, with the calling service's API key."""

from shared.api_client.call import IDEMPOTENCY_HEADER
from shared.api_client.client import ServiceAPIClient, get_service_url
from shared.api_client.errors import (
    BadAnswer,
    CallError,
    CallTimeout,
    KeyRefused,
    QuotaExceeded,
    RequestRefused,
    ServiceUnreachable,
    Throttled,
    UnsendableRequest,
)

__all__ = [
    "IDEMPOTENCY_HEADER",
    "BadAnswer",
    "CallError",
    "CallTimeout",
    "KeyRefused",
    "QuotaExceeded",
    "RequestRefused",
    "ServiceAPIClient",
    "ServiceUnreachable",
    "Throttled",
    "UnsendableRequest",
    "get_service_url",
]
