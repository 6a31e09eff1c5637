"""The checks of the smoke test: a check returns if it passes, and raises `CheckFailed` if not."""

import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from deploy.aws import client
from deploy.traffic import Alias
from services.declared import ROUTED

_POLL_SECONDS: Final = 2.0
_NEW_KEY_SECONDS: Final = 180
_MAX_SHOWN_CHARACTERS: Final = 200

# Stored for the question, and deleted again. The filter keeps other documents out of the answer.
_DOCUMENT: Final = {
    "id": "fin-advisor-smoke-test",
    "title": "The smoke test of fin-advisor",
    "text": "The smoke test of fin-advisor examines 47 parts of the estate.",
    "metadata": {"purpose": "fin-advisor-smoke-test"},
}
_QUESTION: Final = {
    "question": "How many parts of the estate does the smoke test of fin-advisor examine?",
    "filter": {"purpose": "fin-advisor-smoke-test"},
}
_FIGURE: Final = "47"


class CheckFailed(Exception):
    """A check did not pass; the message says what was observed."""


class KeyRefused(CheckFailed):
    """The gateway refused the API key, as it does for up to some minutes after a key is created."""


@dataclass(frozen=True)
class Outcome:
    """The result of a check; `problem` is None if it passed."""

    name: str
    problem: str | None
    seconds: float


def attempt(name: str, check: Callable[[], object], patience_seconds: float = 0) -> Outcome:
    """Run a check until it passes or `patience_seconds` have passed, longer if a key is refused."""
    started = time.monotonic()
    while True:
        patience = patience_seconds
        try:
            check()
        except (CheckFailed, httpx.HTTPError) as error:
            problem = str(error) or type(error).__name__
            if isinstance(error, KeyRefused) and patience:
                patience = max(patience, _NEW_KEY_SECONDS)
        else:
            return Outcome(name, None, time.monotonic() - started)
        waited = time.monotonic() - started
        if waited >= patience:
            return Outcome(name, problem, waited)
        time.sleep(min(_POLL_SECONDS, patience - waited))


class Gateway:
    """The gateway of an environment, called as a client calls it.

    Args:
        url: URL of the stage.
        key: API key of a client, or None if API keys are disabled.
    """

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"x-api-key": key} if key else {}

    def get(self, path: str, *, trace_id: str | None = None) -> Any:
        """Send a GET request and return the parsed response.

        Raises:
            CheckFailed: The status is not 200, or the body is not JSON.
        """
        headers = {"X-Amzn-Trace-Id": f"Root={trace_id};Sampled=1"} if trace_id else {}
        return self._json(path, self._send("GET", path, headers=headers))

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Send a POST request with JSON and return the parsed response; errors as in `get`."""
        return self._json(path, self._send("POST", path, json=content))

    def delete(self, path: str) -> None:
        """Send a DELETE request; errors as in `get`."""
        self._send("DELETE", path)

    def _send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> httpx.Response:
        response = httpx.request(
            method,
            self._url + path,
            headers={**self._headers, **(headers or {})},
            json=json,
            timeout=httpx.Timeout(35),
        )
        if not response.is_success:
            kind = KeyRefused if response.status_code == 403 else CheckFailed
            shown = response.text[:_MAX_SHOWN_CHARACTERS]
            raise kind(f"{path} answered {response.status_code}: {shown}")
        return response

    @staticmethod
    def _json(path: str, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError:
            raise CheckFailed(f"{path} answered something that is not JSON") from None

    def test(self, trace_id: str | None = None) -> dict[str, Any]:
        """Call `/api/test`, which calls every other service through the gateway.

        Returns:
            The response; its `trace_id` has 32 hexadecimal digits.

        Raises:
            CheckFailed: A service is not healthy.
        """
        answer = self.get("/api/test", trace_id=trace_id)
        if not isinstance(answer, dict) or not isinstance(answer.get("services"), dict):
            raise CheckFailed(f"/api/test answered {str(answer)[:200]}")
        unhealthy = [
            f"{name} ({answer['services'].get(name, {}).get('error') or 'missing'})"
            for name in ROUTED
            if name != "api" and not answer["services"].get(name, {}).get("healthy")
        ]
        if unhealthy or not answer.get("healthy"):
            raise CheckFailed(f"unhealthy: {', '.join(unhealthy) or 'api'}")
        return answer


def answers_a_question(gateway: Gateway) -> None:
    """Check that the model answers a question from a document that is stored for this check.

    Without a document the services answer that they do not know, and ask no model.
    """
    gateway.post("/api/documents", {"documents": [_DOCUMENT]})
    try:
        answer = gateway.post("/api/ask", _QUESTION)
    finally:
        gateway.delete(f"/s3vector/documents/{_DOCUMENT['id']}")
    shown = str(answer)[:_MAX_SHOWN_CHARACTERS]
    if not isinstance(answer, dict):
        raise CheckFailed(f"/api/ask answered {shown}")
    cited = [citation.get("document_id") for citation in answer.get("citations", [])]
    is_answer = answer.get("status", "answered") in {"answered", "partial"}
    if not is_answer or _DOCUMENT["id"] not in cited or _FIGURE not in str(answer.get("answer")):
        raise CheckFailed(f"the model did not answer from the document: {shown}")


def secrets_exist(names: Mapping[str, str]) -> None:
    """Check that every secret of Terraform's outputs exists and is not being deleted."""
    secrets_manager = client("secretsmanager")
    missing = []
    # One call a secret: ListSecrets would need a permission for all secrets of the account.
    for name in sorted(names.values()):
        try:
            if "DeletedDate" in secrets_manager.describe_secret(SecretId=name):
                missing.append(name)
        except secrets_manager.exceptions.ResourceNotFoundException:
            missing.append(name)
    if missing:
        raise CheckFailed(f"no secret {', '.join(missing)}")


def reads_own_key(target: Alias) -> None:
    """Check that a function can read its own API key, with the event `{"test": "secrets"}`."""
    answer = _invoke(target, {"test": "secrets"})
    if answer.get("readable") is not True:
        raise CheckFailed(
            f"{target.function} cannot read its key: {answer.get('detail') or answer}"
        )


def answers_directly(target: Alias, service: str) -> None:
    """Check that a version answers its health path when it is invoked without the gateway."""
    answer = _invoke(target, _proxy_event(f"/{service}/health"))
    if answer.get("statusCode") != 200:
        raise CheckFailed(
            f"{target.function} version {target.version} answered {str(answer)[:200]}"
        )


def starts(target: Alias) -> None:
    """Check that a function without HTTP routes starts; it may answer the event with an error."""
    _invoke(target, {"test": "start"})


def new_trace_id() -> str:
    """Return a new trace id in X-Ray's format."""
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def trace_continues(gateway: Gateway, trace_id: str) -> None:
    """Check that api continues the trace that a request belongs to."""
    seen = str(gateway.test(trace_id).get("trace_id"))
    if seen != trace_id.replace("-", "")[1:]:
        raise CheckFailed(f"sent the trace {trace_id}, but api continued {seen}")


def trace_arrived(trace_id: str, begin: float) -> None:
    """Check that X-Ray has received a trace that began at `begin`, in epoch seconds."""
    pages = client("xray").get_paginator("get_trace_summaries")
    # Compares ids instead of using a filter expression, because X-Ray indexes annotations later.
    for page in pages.paginate(StartTime=begin - 60, EndTime=time.time() + 60):
        if any(item["Id"] == trace_id for item in page["TraceSummaries"]):
            return
    raise CheckFailed(f"X-Ray has no trace {trace_id} yet")


def _invoke(target: Alias, event: Mapping[str, Any]) -> dict[str, Any]:
    answer = client("lambda").invoke(
        FunctionName=target.function,
        Qualifier=target.version,
        Payload=json.dumps(event).encode(),
    )
    payload = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise CheckFailed(f"{target.function} version {target.version} failed: {payload[:300]!r}")
    try:
        parsed = json.loads(payload)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise CheckFailed(f"{target.function} answered {payload[:200]!r}")
    return parsed


def _proxy_event(path: str) -> dict[str, Any]:
    stage = os.environ.get("ENVIRONMENT", "deploy")
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": {"accept": "application/json"},
        "multiValueHeaders": {"accept": ["application/json"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "stage": stage,
            "path": f"/{stage}{path}",
            "httpMethod": "GET",
            "requestId": secrets.token_hex(16),
            "requestTimeEpoch": int(time.time() * 1000),
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None,
        "isBase64Encoded": False,
    }
