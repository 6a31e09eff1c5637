"""Reads the reason for a failure from the answer of a service or of the gateway."""

import httpx

from shared.errors import NO_RETRY_HEADER


def text_fields(response: httpx.Response) -> dict[str, str]:
    """Return the text fields of a JSON object; empty if the body is anything else."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    return {key: value for key, value in body.items() if isinstance(value, str)}


def retry_after_seconds(response: httpx.Response) -> float | None:
    """Return the seconds in `Retry-After`, or None."""
    value = response.headers.get("retry-after", "")
    # HTTP also allows a date here, which neither the gateway nor our services send.
    return float(value) if value.isascii() and value.isdigit() and len(value) < 6 else None


def was_retried(response: httpx.Response) -> bool:
    """Return whether the service that failed has already repeated its own call."""
    return bool(response.headers.get(NO_RETRY_HEADER) == "false")


def is_outage(response: httpx.Response) -> bool:
    """Return whether the service itself failed, and the gateway answered in its place.

    Our services put a code in `error`. A 500 without one comes from the gateway, which sends it
    when Lambda throttles the function.
    """
    return response.status_code >= 500 and "error" not in text_fields(response)


def is_key_refusal(response: httpx.Response) -> bool:
    """Return whether the gateway refused the API key; a service's own 403 is not that."""
    return (
        response.status_code == 403
        and response.headers.get("x-amzn-errortype", "").partition(":")[0] == "ForbiddenException"
    )
