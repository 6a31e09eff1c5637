"""The Lambda entry point: what it imports at a cold start, its routes and its settings."""

import json

import pytest

from shared.testing import run_entry

PEERS = {"PEER_SERVICES": "chat"}


def test_the_entry_imports_no_sdk_before_a_request_needs_it() -> None:
    outcome = run_entry("api", "print(loaded)", **PEERS)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.strip() == "[]"


@pytest.mark.parametrize("path", ["/api/health", "/api/liveness", "/api/readiness"])
def test_a_gateway_event_reaches_the_route_below_the_prefix(path: str) -> None:
    call = f"print(handler(api_gateway_event('GET', '{path}'), LambdaContext())['body'])"
    outcome = run_entry("api", call, **PEERS)
    assert json.loads(outcome.stdout.splitlines()[-1])["service"] == "api"


def test_a_path_that_only_begins_like_the_prefix_is_not_routed() -> None:
    call = "print(handler(api_gateway_event('GET', '/apiary/x'), LambdaContext())['statusCode'])"
    assert run_entry("api", call, **PEERS).stdout.splitlines()[-1] == "404"


def test_a_missing_variable_ends_the_start_with_one_message() -> None:
    outcome = run_entry("api", "", API_GATEWAY_URL="", LOG_LEVEL="LOUD", PEER_SERVICES="Chat")
    assert outcome.returncode == 1
    assert "API_GATEWAY_URL" in outcome.stderr
    assert "LOG_LEVEL" in outcome.stderr
    assert "PEER_SERVICES" in outcome.stderr
    assert "Traceback" not in outcome.stderr
