"""The ASGI scope of a gateway event, by Mangum, where the caller's Host and port allow it."""

from typing import Any, Final
from urllib.parse import urlsplit

from mangum.handlers import APIGateway
from starlette.types import Scope

_ORIGIN: Final = ("host", "x-forwarded-port")


def asgi_scope(gateway: APIGateway) -> Scope:
    """Return the scope of the gateway's event.

    Mangum raises ValueError for a Host with an IPv6 address, and for several forwarded ports. Their
    values are the caller's, so the scope is then made without these headers and gets them back.
    """
    try:
        return gateway.scope
    except ValueError:
        event = gateway.event
        rest = {name: _rest(event.get(name)) for name in ("headers", "multiValueHeaders")}
        plain = APIGateway({**event, **rest}, gateway.context, gateway.config).scope
        origin = {name: _value(event, name) for name in _ORIGIN}
        plain["headers"] += [
            [name.encode(), value.encode()] for name, value in origin.items() if value
        ]
        plain["server"] = _server(origin["host"])
        plain["aws.event"] = event
        return plain


def _rest(headers: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (headers or {}).items() if name.lower() not in _ORIGIN}


def _value(event: dict[str, Any], name: str) -> str:
    """Return the header's value, or its values separated by commas; empty without one."""
    for headers in (event.get("multiValueHeaders"), event.get("headers")):
        for key, value in (headers or {}).items():
            if key.lower() == name:
                return value if isinstance(value, str) else ", ".join(value)
    return ""


def _server(host: str) -> tuple[str, int]:
    try:
        url = urlsplit(f"//{host}")
        name, port = url.hostname, url.port
    except ValueError:
        name, port = None, None
    return name or "unknown", port or 443
