"""Reads error answers: those of the services, and those of the gateway in their place."""

from typing import Any, Final

import httpx

from client.errors import ApiError, error_type

GATEWAY: Final = "gateway"
_MAX_DETAIL: Final = 2_000


def error_of(response: httpx.Response) -> ApiError:
    """Return an answer that is not a 2xx as an error."""
    body = _object(response)
    code, detail = _text(body, "error"), _text(body, "detail")
    if code is None:
        code, detail = GATEWAY, _text(body, "message")
    status = response.status_code
    detail = (detail or response.reason_phrase or "no detail")[:_MAX_DETAIL]
    return error_type(status, code, detail)(
        status,
        code,
        detail,
        request_id=_text(body, "request_id")
        or response.headers.get("x-request-id")
        or response.headers.get("x-amzn-requestid"),
        retry_after=_seconds(response.headers.get("retry-after")),
        may_retry=response.headers.get("x-should-retry") != "false",
    )


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None


def _seconds(value: str | None) -> float | None:
    return float(value) if value and value.isdecimal() and len(value) < 6 else None
