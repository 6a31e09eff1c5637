"""Models that are legacy, near their end of life or unknown are reported."""

import datetime
import json
from collections.abc import Iterable
from typing import Any

import pytest

from deploy import model_lifecycle
from deploy.aws import client
from deploy.tests.fakes import Environ, StartResponse, serving

CHAT = {"chat": "anthropic.claude-test-1"}


def _findings(
    monkeypatch: pytest.MonkeyPatch, lifecycle: dict[str, Any], status: int = 200
) -> list[str]:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        assert environ["PATH_INFO"] == "/foundation-models/anthropic.claude-test-1"
        details = {
            "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-test-1",
            "modelId": "anthropic.claude-test-1",
            "modelLifecycle": lifecycle,
        }
        body = json.dumps({"modelDetails": details, "message": "no such model"}).encode()
        headers = [("Content-Length", str(len(body)))]
        if status != 200:
            headers.append(("x-amzn-ErrorType", "ResourceNotFoundException"))
        start_response(f"{status} Answer", headers)
        return [body]

    with serving(application) as url:
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }.items():
            monkeypatch.setenv(name, value)
        client.cache_clear()
        try:
            return model_lifecycle.findings(CHAT)
        finally:
            client.cache_clear()


def _in(days: int) -> str:
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    return end.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "lifecycle", [{"status": "ACTIVE"}, {"status": "ACTIVE", "endOfLifeTime": _in(120)}]
)
def test_an_active_model_is_no_finding(
    lifecycle: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _findings(monkeypatch, lifecycle) == []


@pytest.mark.parametrize(
    ("lifecycle", "problem"),
    [
        ({"status": "LEGACY"}, "is legacy"),
        ({"status": "LEGACY", "endOfLifeTime": _in(200)}, "is legacy and ends on 2"),
        ({"status": "ACTIVE", "endOfLifeTime": _in(80)}, "ends on 2"),
        ({"status": "LEGACY", "endOfLifeTime": _in(-1)}, "ended on 2"),
    ],
)
def test_a_model_that_ends_is_a_finding_with_the_variable_to_change(
    lifecycle: dict[str, Any], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (finding,) = _findings(monkeypatch, lifecycle)
    assert problem in finding
    assert "anthropic.claude-test-1" in finding
    assert "chat_model_id" in finding


def test_an_unknown_model_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = _findings(monkeypatch, {}, status=404)
    assert "cannot be read" in finding
    assert "no such model" in finding
