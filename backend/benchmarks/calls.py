"""The requests sent to every candidate, as the events that API Gateway passes to a function."""

from typing import Any, Final

from shared.testing import api_gateway_event

# The headers that a regional API passes on from a browser's request.
_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate, br",
    "Content-Type": "application/json",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
    "x-api-key": "k" * 40,
}
_PORTFOLIO: Final = {
    "owner": "Ada",
    "holdings": [
        {"symbol": "VTI", "shares": 10, "price": 250.5},
        {"symbol": "BND", "shares": 20.5, "price": 72.1},
        {"symbol": "VXUS", "shares": 15, "price": 60},
    ],
}


# Functions, because each event contains the time of its request.
def health() -> dict[str, Any]:
    """Return a health check."""
    return api_gateway_event("GET", "/api/health", headers=_HEADERS)


def valuation() -> dict[str, Any]:
    """Return a POST whose body is validated."""
    return api_gateway_event("POST", "/api/valuations", json=_PORTFOLIO, headers=_HEADERS)


def question() -> dict[str, Any]:
    """Return a question, which the function forwards to another service with an API key."""
    asked = {"question": "How much should I save?"}
    return api_gateway_event("POST", "/api/ask", json=asked, headers=_HEADERS)
